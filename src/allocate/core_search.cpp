#include "allocate/core_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "allocate/pareto.h"

// Pisinger's idea: the optimum differs from the rounded relaxation in few classes, those whose alternatives cost least
// at the relaxation's price. Classes are opened in that order, states (partial sums of the differences) are merged as
// Nemhauser and Ullmann do, and a state is dropped once the classes still closed cannot bring it below the best choice.

namespace mpq::knapsack {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMostStates = std::size_t{1} << 20;
constexpr std::size_t kCompactAt = std::size_t{1} << 22;  // swaps remembered before dead ones are forgotten

/// Taking another item than the relaxation's in one class.
struct Swap {
  std::uint32_t item = 0;
  std::int64_t cost = 0;  ///< difference to the relaxation's item
  double damage = 0;
  double loss = 0;  ///< damage + slope * cost, never negative: what the swap costs at the relaxation's price
};

struct OpenClass {
  std::uint32_t index = 0;
  double rate_up = kInfinity;    ///< least loss per unit of cost of the swaps that spend
  double rate_down = kInfinity;  ///< and of those that save
  std::vector<Swap> swaps;
};

/// Sums of differences over the classes opened so far.
struct State {
  std::int64_t cost = 0;
  double damage = 0;
  std::uint32_t node = kNone;  ///< last swap, chained to the earlier ones
  std::uint32_t item = kNone;  ///< a swap just made, not yet a node
};

struct Node {
  std::uint32_t parent, class_index, item;
};

class CoreSearch {
 public:
  CoreSearch(const std::vector<Class>& classes, const Rounded& start, std::vector<std::size_t>& items)
      : classes_(classes),
        base_(items),
        items_(items),
        slack_(start.slack),
        slope_(start.slope),
        break_class_(start.break_class),
        most_work_(start.most_work) {}

  bool run() {
    try_single_swaps();
    if (closed_gap()) return true;
    order_classes();
    states_ = {State{}};
    for (std::size_t k = 0; k < open_.size() && !states_.empty() && !closed_gap(); ++k) {
      if (work_ > most_work_) return false;
      open_class(k);
    }
    return proven_ || closed_gap();
  }

 private:
  double loss_of(std::int64_t cost, double damage) const {
    return std::max(0.0, damage + slope_ * static_cast<double>(cost));
  }
  /// Rounding noise of a state's loss.
  double noise(std::int64_t cost, double damage) const {
    return 1e-14 * (std::fabs(damage) + slope_ * std::fabs(static_cast<double>(cost)));
  }
  /// Damage difference below which nothing lies: the relaxation itself.
  double floor() const { return -slope_ * static_cast<double>(slack_); }
  bool closed_gap() const { return best_damage_ <= floor() * (1 - 1e-15); }

  /// Least damage difference any completion of the state can reach.
  double bound(const State& state, double rate_up, double rate_down) const {
    const double loss = loss_of(state.cost, state.damage);
    if (state.cost > slack_) {
      return rate_down == kInfinity ? kInfinity : loss + rate_down * static_cast<double>(state.cost - slack_) + floor();
    }
    if (rate_up >= slope_) return state.damage;
    return std::min(state.damage, loss + rate_up * static_cast<double>(slack_ - state.cost) + floor());
  }
  /// Equal damage may still mean fewer bytes, so only what is surely worse is hopeless.
  bool hopeless(const State& state, double state_bound) const {
    return state_bound > best_damage_ + noise(state.cost, state.damage);
  }

  Swap swap_of(std::size_t class_index, std::size_t item) const {
    const Item& kept = classes_[class_index][base_[class_index]];
    const Item& other = classes_[class_index][item];
    Swap swap{static_cast<std::uint32_t>(item), other.cost - kept.cost, other.damage - kept.damage, 0};
    swap.loss = loss_of(swap.cost, swap.damage);
    return swap;
  }

  /// Best choice with a single swap: a first limit for the search.
  void try_single_swaps() {
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      for (std::size_t i = 0; i < classes_[c].size(); ++i) {
        if (i == base_[c]) continue;
        const Swap swap = swap_of(c, i);
        consider({swap.cost, swap.damage, kNone, swap.item}, static_cast<std::uint32_t>(c));
      }
    }
  }

  /// The class without the swaps that alone cost more than the best choice found leaves.
  OpenClass open_form(std::size_t class_index) const {
    OpenClass open;
    open.index = static_cast<std::uint32_t>(class_index);
    for (std::size_t i = 0; i < classes_[class_index].size(); ++i) {
      if (i == base_[class_index]) continue;
      const Swap swap = swap_of(class_index, i);
      if (swap.loss + floor() > best_damage_ + noise(swap.cost, swap.damage)) continue;
      double& rate = swap.cost > 0 ? open.rate_up : open.rate_down;
      rate = std::min(rate, swap.loss / std::fabs(static_cast<double>(swap.cost)));
      open.swaps.push_back(swap);
    }
    return open;
  }

  /// Sorts the classes by their cheapest swap; of equal ones, those next to the class the relaxation broke in come
  /// first, because there swaps that save and swaps that spend lie side by side.
  void order_classes() {
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      OpenClass open = open_form(c);
      if (!open.swaps.empty()) open_.push_back(std::move(open));
    }
    const auto distance = [&](const OpenClass& open) {
      return open.index < break_class_ ? break_class_ - open.index : open.index - break_class_;
    };
    std::stable_sort(open_.begin(), open_.end(), [&](const OpenClass& a, const OpenClass& b) {
      const double rate_a = std::min(a.rate_up, a.rate_down);
      const double rate_b = std::min(b.rate_up, b.rate_down);
      return rate_a != rate_b ? rate_a < rate_b : distance(a) < distance(b);
    });
    rate_up_after_.assign(open_.size() + 1, kInfinity);
    rate_down_after_.assign(open_.size() + 1, kInfinity);
    for (std::size_t k = open_.size(); k-- > 0;) {
      rate_up_after_[k] = std::min(rate_up_after_[k + 1], open_[k].rate_up);
      rate_down_after_[k] = std::min(rate_down_after_[k + 1], open_[k].rate_down);
    }
  }

  void open_class(std::size_t k) {
    const double rate_up = rate_up_after_[k + 1];
    const double rate_down = rate_down_after_[k + 1];
    const OpenClass& open = open_[k];
    merged_ = states_;
    work_ += states_.size() * open.swaps.size();
    for (const Swap& swap : open.swaps) {
      shifted_.clear();
      for (const State& state : states_) {
        const State next{state.cost + swap.cost, state.damage + swap.damage, state.node, swap.item};
        if (hopeless(next, bound(next, rate_up, rate_down))) continue;
        consider(next, open.index);
        append_non_dominated(shifted_, next);
      }
      if (closed_gap()) return;
      merge_non_dominated(merged_, shifted_, scratch_);
      std::swap(merged_, scratch_);
    }
    std::erase_if(merged_, [&](const State& state) { return hopeless(state, bound(state, rate_up, rate_down)); });
    if (merged_.size() > kMostStates) keep_most_promising(rate_up, rate_down);
    for (State& state : merged_) {
      if (state.item == kNone) continue;
      nodes_.push_back({state.node, open.index, state.item});
      state.node = static_cast<std::uint32_t>(nodes_.size() - 1);
      state.item = kNone;
    }
    std::swap(states_, merged_);
    if (nodes_.size() > kCompactAt) compact();
  }

  /// Records a state as the best choice when it is one.
  void consider(const State& state, std::uint32_t class_index) {
    if (state.cost > slack_ || state.damage > best_damage_) return;
    if (state.damage == best_damage_ && state.cost >= best_cost_) return;
    best_damage_ = state.damage;
    best_cost_ = state.cost;
    items_ = base_;
    items_[class_index] = state.item;
    for (std::uint32_t n = state.node; n != kNone; n = nodes_[n].parent) items_[nodes_[n].class_index] = nodes_[n].item;
  }

  /// The memory limit: goes on with the states of least bound, and gives up the proof.
  void keep_most_promising(double rate_up, double rate_down) {
    proven_ = false;
    std::vector<double> bounds;
    bounds.reserve(merged_.size());
    for (const State& state : merged_) bounds.push_back(bound(state, rate_up, rate_down));
    const auto middle = bounds.begin() + static_cast<std::ptrdiff_t>(kMostStates / 2);
    std::nth_element(bounds.begin(), middle, bounds.end());
    const double limit = *middle;
    std::size_t kept = 0;
    std::erase_if(merged_,
                  [&](const State& state) { return bound(state, rate_up, rate_down) > limit || ++kept > kMostStates; });
  }

  /// Forgets swaps no living state stands on. Parents come before children, so one pass each way does.
  void compact() {
    std::vector<bool> alive(nodes_.size(), false);
    for (const State& state : states_) {
      if (state.node != kNone) alive[state.node] = true;
    }
    for (std::size_t n = nodes_.size(); n-- > 0;) {
      if (alive[n] && nodes_[n].parent != kNone) alive[nodes_[n].parent] = true;
    }
    std::vector<std::uint32_t> moved(nodes_.size(), kNone);
    std::uint32_t next = 0;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (!alive[n]) continue;
      const Node node = nodes_[n];
      nodes_[next] = {node.parent == kNone ? kNone : moved[node.parent], node.class_index, node.item};
      moved[n] = next++;
    }
    nodes_.resize(next);
    for (State& state : states_) {
      if (state.node != kNone) state.node = moved[state.node];
    }
  }

  const std::vector<Class>& classes_;
  const std::vector<std::size_t> base_;
  std::vector<std::size_t>& items_;
  const std::int64_t slack_;
  const double slope_;
  const std::size_t break_class_;
  const std::size_t most_work_;
  std::vector<OpenClass> open_;
  std::vector<double> rate_up_after_, rate_down_after_;
  std::vector<State> states_, merged_, shifted_, scratch_;
  std::vector<Node> nodes_;
  double best_damage_ = 0;
  std::int64_t best_cost_ = 0;
  std::size_t work_ = 0;
  bool proven_ = true;
};

}  // namespace

bool improve_to_optimum(const std::vector<Class>& classes, const Rounded& start, std::vector<std::size_t>& items) {
  return CoreSearch(classes, start, items).run();
}

}  // namespace mpq::knapsack
