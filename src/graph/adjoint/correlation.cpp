#include "graph/adjoint/correlation.h"

#include <algorithm>

// The adjoint of a convolution's weight. A convolution with one factor as its kernel would compute it always, but
// kernels as large as images are several times slower than matrix products, unless these are many and thin.

namespace mpq::graph::adjoint {

namespace {

constexpr std::int64_t kFewChannels = 16;  // below, the offsets of a kernel share one product
constexpr std::int64_t kManyOffsets = 64;  // from here on each offset's own nodes take longer to load than to run
constexpr std::int64_t kWidestBand = 256;  // places along the band of a depthwise product

/// Axes in front of channels and places. Axes of extent 1 are left out, so that plain matrices stay plain matrices.
Shape lead(const Window& w, const Factor& f) {
  Shape shape;
  if (f.probes != 1) shape.push_back(f.probes);
  if (f.batch != 1 || w.group != 1) shape.insert(shape.end(), {f.batch, w.group});
  return shape;
}

/// The wide factor with its padding, [lead..., channels, padded extents...].
struct Padded {
  std::string value;
  Shape lead, extents;
  std::int64_t channels = 1;

  /// Every element that the kernel's element `k` meets along axis `d`.
  std::string met(Builder& b, const Window& w, const std::string& from, std::size_t d, std::int64_t k) const {
    const std::int64_t begin = w.dilations[d] * k, end = begin + w.strides[d] * (w.output[d] - 1) + 1;
    if (begin == 0 && end == extents[d] && w.strides[d] == 1) return from;
    const auto axis = static_cast<std::int64_t>(lead.size() + 1 + d);
    return b.emit("Slice", {from, b.ints({begin}), b.ints({end}), b.ints({axis}), b.ints({w.strides[d]})});
  }
};

Padded padded(Builder& b, const Window& w, const Factor& f) {
  Padded result{"", lead(w, f), f.extents, f.channels};
  const Shape front = joined(result.lead, {f.channels});
  Shape before(front.size(), 0), after(front.size(), 0);
  for (std::size_t d = 0; d < w.rank(); ++d) {
    // Places behind the last one the kernel reaches are cut off (negative padding).
    const std::int64_t needed = w.strides[d] * (w.output[d] - 1) + w.reach(d);
    before.push_back(w.pads_before[d]);
    after.push_back(needed - w.pads_before[d] - f.extents[d]);
    result.extents[d] = needed;
  }
  result.value = b.reshape(f.value, joined(front, f.extents));
  const bool any = std::any_of(before.begin(), before.end(), [](std::int64_t p) { return p != 0; }) ||
                   std::any_of(after.begin(), after.end(), [](std::int64_t p) { return p != 0; });
  if (any) result.value = b.emit("Pad", {result.value, b.ints(joined(before, after))});
  return result;
}

/// Places of the kernel, last axis fastest.
std::vector<Shape> offsets_of(const Shape& kernel) {
  std::vector<Shape> offsets{{}};
  for (const std::int64_t extent : kernel) {
    std::vector<Shape> next;
    for (const Shape& offset : offsets) {
      for (std::int64_t k = 0; k < extent; ++k) next.push_back(joined(offset, {k}));
    }
    offsets = std::move(next);
  }
  return offsets;
}

/// [probes, batch, groups, narrow channels, K * wide channels], or the same without what `lead` leaves out.
std::string by_offsets(Builder& b, const Window& w, const Factor& wide, const Factor& narrow) {
  const Padded image = padded(b, w, wide);
  const std::int64_t places = count_of(w.output);
  const std::string left = b.reshape(narrow.value, joined(lead(w, narrow), {narrow.channels, places}));
  const std::size_t rank = image.lead.size() + 2;
  std::vector<std::string> pieces;
  const bool together = wide.channels < kFewChannels;
  for (const Shape& offset : offsets_of(w.kernel)) {
    std::string met = image.value;
    for (std::size_t d = 0; d < w.rank(); ++d) met = image.met(b, w, met, d, offset[d]);
    met = b.reshape(met, joined(image.lead, {wide.channels, places}));
    pieces.push_back(together ? met : b.emit("MatMul", {left, b.transpose_last(met, rank)}));
  }
  if (!together) return pieces.size() == 1 ? pieces[0] : b.emit("Concat", pieces, {{"axis", std::int64_t{-1}}});
  const std::string rows = pieces.size() == 1 ? pieces[0] : b.emit("Concat", pieces, {{"axis", std::int64_t{-2}}});
  return b.emit("MatMul", {left, b.transpose_last(rows, rank)});
}

/// Each channel alone, over two axes: along one of them a matrix product sums over places, and of its result, every
/// place of the other axis by every place, the band that the kernel joins is summed.
std::string by_bands(Builder& b, const Window& w, const Factor& wide, const Factor& narrow, std::size_t band) {
  const std::size_t summed = 1 - band;
  const Padded image = padded(b, w, wide);
  const std::string right = b.reshape(narrow.value, joined(joined(lead(w, narrow), {1}), w.output));
  const std::size_t rank = image.lead.size() + 3;
  const std::int64_t out = w.output[band], in = image.extents[band];
  Shape diagonal;  // of [in, out], by the kernel's place along the band
  for (std::int64_t k = 0; k < w.kernel[band]; ++k) {
    for (std::int64_t o = 0; o < out; ++o) diagonal.push_back((w.strides[band] * o + w.dilations[band] * k) * out + o);
  }
  const Shape front = wide.probes != 1 ? image.lead : lead(w, narrow);
  std::vector<std::string> pieces;
  for (std::int64_t k = 0; k < w.kernel[summed]; ++k) {
    const std::string met = image.met(b, w, image.value, summed, k);
    const std::string product = summed == 0
                                    ? b.emit("MatMul", {b.transpose_last(met, rank), right})
                                    : b.emit("MatMul", {met, b.transpose_last(right, lead(w, narrow).size() + 3)});
    const std::string flat = b.reshape(product, joined(front, {in * out}));
    const std::string joints = b.emit("Gather", {flat, b.ints(diagonal)}, {{"axis", std::int64_t{-1}}});
    pieces.push_back(b.reshape(joints, joined(front, {1, w.kernel[band], out})));
  }
  const auto axis = static_cast<std::int64_t>(front.size());
  std::string all = pieces.size() == 1 ? pieces[0] : b.emit("Concat", pieces, {{"axis", axis}});
  all = b.emit("ReduceSum", {all, b.ints({axis + 2})}, {{"keepdims", std::int64_t{0}}});
  if (summed == 0) return all;
  return b.transpose_last(all, front.size() + 2);
}

/// One convolution of the wide factor's channels, as a batch, with the narrow factor as its kernel: strides and
/// dilations change places. [probes, narrow channels, wide channels, kernel...].
std::string by_convolution(Builder& b, const Window& w, const Factor& wide, const Factor& narrow) {
  const Padded image = padded(b, w, wide);
  const std::string batch = b.reshape(image.value, joined({wide.probes * wide.channels, 1}, image.extents));
  const std::string kernel = b.reshape(narrow.value, joined({narrow.probes * narrow.channels, 1}, w.output));
  const std::string z = b.reshape(
      b.emit("Conv", {batch, kernel}, {{"kernel_shape", w.output}, {"strides", w.dilations}, {"dilations", w.strides}}),
      {wide.probes, wide.channels, narrow.probes, narrow.channels, count_of(w.kernel)});
  return b.reshape(b.transpose(z, {0, 2, 3, 1, 4}),
                   joined({wide.probes * narrow.probes, narrow.channels, wide.channels}, w.kernel));
}

/// Multiplications of by_bands with the band along this axis.
std::int64_t band_work(const Window& w, std::size_t band) {
  const std::size_t summed = 1 - band;
  return w.kernel[summed] * w.output[summed] * w.output[band] * w.output[band] * w.strides[band];
}

}  // namespace

std::string correlation(Builder& b, const Window& w, const Factor& wide, const Factor& narrow) {
  const std::int64_t probes = std::max(wide.probes, narrow.probes), K = count_of(w.kernel);
  const bool thin = wide.channels < kFewChannels && w.group == 1 && narrow.batch == 1;
  if (thin && K >= kManyOffsets) return by_convolution(b, w, wide, narrow);
  std::string z;
  const bool alone = wide.channels == 1 && narrow.channels == 1 && w.rank() == 2 && K > 1;
  const std::size_t band = alone && band_work(w, 0) < band_work(w, 1) ? 0 : 1;
  if (alone && w.output[band] <= kWidestBand) {
    z = by_bands(b, w, wide, narrow, band);
  } else {
    z = by_offsets(b, w, wide, narrow);
  }
  z = b.reshape(z, {probes, narrow.batch, w.group, narrow.channels, K, wide.channels});
  if (narrow.batch != 1) z = b.emit("ReduceSum", {z, b.ints({1})}, {{"keepdims", std::int64_t{1}}});
  if (K != 1 && wide.channels != 1) z = b.transpose(z, {0, 1, 2, 3, 5, 4});
  return b.reshape(z, joined({probes, w.group * narrow.channels, wide.channels}, w.kernel));
}

}  // namespace mpq::graph::adjoint
