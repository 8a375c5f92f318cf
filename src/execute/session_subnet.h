#pragma once

#include <memory>
#include <vector>

#include "mpq/profile.h"

#include "execute/engine.h"
#include "profile/subnet.h"

namespace mpq::executing {

/// Segments of a network as a session on a processor.
std::unique_ptr<Subnet> make_session(const profiling::CuttableModel& model, const std::vector<int>& segments,
                                     const Processor& processor, const std::string& precision);

}  // namespace mpq::executing
