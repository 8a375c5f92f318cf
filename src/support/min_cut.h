#pragma once

#include <cstddef>
#include <vector>

namespace mpq {

/// The cheapest way to give every node one of two labels, where nodes have prices for both and arcs charge for a
/// difference: a minimum cut, found by Dinic's algorithm (1970).
class MinCut {
 public:
  explicit MinCut(std::size_t nodes);

  /// Price of the node under label 0 and under label 1; adds up over calls. Not negative.
  void add_prices(std::size_t node, double first, double second);
  /// `price` is paid when `from` has label 1 and `to` has label 0.
  void add_arc(std::size_t from, std::size_t to, double price);
  /// A price no sum of sensible ones reaches: "never".
  static constexpr double kNever = 1e30;

  /// The labels of least total price; where several are equally cheap, as few ones as possible.
  std::vector<char> solve();

 private:
  struct Arc {
    std::size_t to;
    double room;  ///< capacity left
  };
  void connect(std::size_t from, std::size_t to, double capacity);
  bool find_levels();
  double push(std::size_t node, double most);

  std::size_t source_, sink_;
  std::vector<Arc> arcs_;                     // an arc and its reverse stand side by side
  std::vector<std::vector<std::size_t>> at_;  // arcs leaving each node
  std::vector<int> level_;
  std::vector<std::size_t> next_;
};

}  // namespace mpq
