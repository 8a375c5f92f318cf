#include "allocate/shared_functions.h"

#include <set>

namespace mpq::knapsack {

namespace {

using Names = std::set<std::string>;

std::int64_t bytes_of(const Names& names, const SharedFunctions& functions) {
  std::int64_t sum = 0;
  for (const std::string& name : names) sum += functions.bytes(name);
  return sum;
}

/// The exact optimum among items that need none but these functions, all of them paid for.
std::optional<Solution> solve_within(const std::vector<Class>& classes, const SharedFunctions& functions,
                                     const Names& names, std::int64_t room) {
  std::vector<Class> allowed;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    Class& items = allowed.emplace_back();
    for (const Item& item : classes[i]) {
      const std::string& name = functions.of(i, item.origin);
      if (name.empty() || names.count(name) > 0) items.push_back(item);
    }
    if (items.empty()) return std::nullopt;
  }
  constexpr std::size_t kMostWork = std::size_t{1} << 20;  // each of many searches
  return Solver(std::move(allowed)).solve(room - bytes_of(names, functions), kMostWork);
}

bool better(const std::optional<Solution>& found, const std::optional<Solution>& best) {
  return found && (!best || found->damage < best->damage);
}

Names all_names(const std::vector<Class>& classes, const SharedFunctions& functions) {
  Names names;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    for (const Item& item : classes[i]) names.insert(functions.of(i, item.origin));
  }
  names.erase("");
  return names;
}

/// The functions that a choice (per class, an item's origin) needs.
Names needed(const std::vector<std::size_t>& choice, const SharedFunctions& functions) {
  Names names;
  for (std::size_t i = 0; i < choice.size(); ++i) names.insert(functions.of(i, choice[i]));
  names.erase("");
  return names;
}

std::optional<Solution> improve(const std::vector<Class>& classes, const SharedFunctions& functions, const Names& all,
                                std::int64_t room, Names names) {
  constexpr int kSweeps = 4;
  std::optional<Solution> best = solve_within(classes, functions, names, room);
  bool gained = true;
  for (int sweep = 0; sweep < kSweeps && gained; ++sweep) {
    gained = false;
    for (const std::string& name : all) {
      Names other = names;
      if (other.erase(name) == 0) other.insert(name);
      std::optional<Solution> found = solve_within(classes, functions, other, room);
      if (!better(found, best)) continue;
      names = needed(found->choice, functions);
      best = std::move(found);
      gained = true;
    }
  }
  return best;
}

}  // namespace

std::optional<Solution> choose_functions(const std::vector<Class>& classes, const SharedFunctions& functions,
                                         std::int64_t room, const std::optional<std::vector<std::size_t>>& start) {
  const Names all = all_names(classes, functions);
  std::optional<Solution> best = improve(classes, functions, all, room, {});
  if (!start) return best;
  std::optional<Solution> other = improve(classes, functions, all, room, needed(*start, functions));
  return better(other, best) ? other : best;
}

}  // namespace mpq::knapsack
