#include <algorithm>

#include "encode/encode.h"

namespace mpq::encode {

namespace {

template <typename T, typename Wish>
bool asked_for(const std::vector<T>& list, const Wish& wish) {
  return std::find(list.begin(), list.end(), wish) != list.end();
}

/// Blocks pay on matrix products and embedding tables and not on convolutions (docs/methods.md), and only where a
/// channel is cut in at least two.
bool blocks_fit(const Layer& layer, int block) {
  if (layer.block_axis < 0 || layer.shape.size() != 2) return false;
  if (layer.op != "MatMul" && layer.op != "Gemm" && layer.op != "Gather") return false;
  const std::int64_t extent = layer.shape[static_cast<std::size_t>(layer.block_axis)];
  return extent % block == 0 && extent >= 2 * block;
}

}  // namespace

std::vector<Candidate> candidates_for(const Layer& layer, const std::vector<int>& bits,
                                      const std::vector<std::string>& forms) {
  std::vector<Candidate> result;
  constexpr int kNarrowest = 2, kWidest = 8, kHalf = 16;
  constexpr int kBlock = 64, kFirstBlocked = 3, kLastBlocked = 6;
  constexpr int kWidestCodebook = 6;
  for (int width = kNarrowest; width <= kWidest; ++width) {
    if (!asked_for(bits, width)) continue;
    result.push_back({width, "grid", 0});
    if (asked_for(forms, "codebook") && width <= kWidestCodebook) result.push_back({width, "codebook", 0});
    if (asked_for(forms, "blocks") && width >= kFirstBlocked && width <= kLastBlocked && blocks_fit(layer, kBlock)) {
      result.push_back({width, "grid", kBlock});
    }
  }
  if (asked_for(bits, kHalf) && (layer.dtype == "float32" || layer.dtype == "float64")) {
    result.push_back({kHalf, "half", 0});
  }
  result.push_back({});
  std::stable_sort(result.begin(), result.end() - 1, [&](const Candidate& a, const Candidate& b) {
    return stored_bytes(layer, a) < stored_bytes(layer, b);
  });
  return result;
}

}  // namespace mpq::encode
