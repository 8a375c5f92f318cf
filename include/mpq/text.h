#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mpq {

/// Text that comes from files, made fit for a terminal.

/// Bytes of the well-formed UTF-8 character `text` begins with; 0 when it begins with none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text);

/// `text` with control characters, invisible marks and malformed UTF-8 shown as `?`: a file must not be able to send
/// escape sequences to the terminal.
std::string printable(std::string_view text);

/// Terminal cells that printable text takes: two for wide East Asian characters.
std::size_t display_width(std::string_view text);

/// `text` cut in the middle to at most `cells` cells, with `ellipsis` where it was cut: the ends of a layer's name
/// tell more than its middle.
std::string shorten_middle(const std::string& text, std::size_t cells, const std::string& ellipsis = "...");

/// Every name cut to at most `cells` cells, so that it is still told from the others of the list: of names with
/// segments (`/a/b/c`, else `a.b.c`) those that most names share give way first, then the middle.
std::vector<std::string> shorten_names(const std::vector<std::string>& names, std::size_t cells,
                                       const std::string& ellipsis = "...");

}  // namespace mpq
