#include "data/image_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>

#include "mpq/error.h"

#include "support/files.h"

#ifdef MPQ_HAVE_STB
#include <stb_image.h>
#endif

namespace mpq::data {
namespace {

/// The weights of the source positions first, first + 1, ... in one target position.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Taps> triangle_taps(int source, int target) {
  const double scale = static_cast<double>(source) / target;
  const double reach = std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<std::size_t>(target));
  for (int i = 0; i < target; ++i) {
    const double centre = (i + 0.5) * scale;
    Taps& taps = all[static_cast<std::size_t>(i)];
    taps.first = std::max(0, static_cast<int>(std::floor(centre - reach + 0.5)));
    const int end = std::min(source, static_cast<int>(std::floor(centre + reach + 0.5)));
    double sum = 0;
    std::vector<double> weights;
    for (int s = taps.first; s < end; ++s) {
      weights.push_back(std::max(0.0, 1.0 - std::fabs((s + 0.5 - centre) / reach)));
      sum += weights.back();
    }
    for (const double weight : weights) taps.weights.push_back(static_cast<float>(weight / sum));
  }
  return all;
}

/// Filters `lines` lines of `taps.size()` positions; positions lie `step` apart in the source and the target alike.
struct Axis {
  std::size_t lines, source_line, target_line;  // line starts
  std::size_t step;                             // values from one position of a line to the next
};

void filter(std::span<const float> source, std::span<float> target, const std::vector<Taps>& taps, const Axis& axis) {
  for (std::size_t line = 0; line < axis.lines; ++line) {
    for (std::size_t i = 0; i < taps.size(); ++i) {
      for (std::size_t value = 0; value < axis.step; ++value) {
        std::size_t at = line * axis.source_line + static_cast<std::size_t>(taps[i].first) * axis.step + value;
        float sum = 0;
        for (const float weight : taps[i].weights) {
          sum += weight * source[at];
          at += axis.step;
        }
        target[line * axis.target_line + i * axis.step + value] = sum;
      }
    }
  }
}

std::size_t size(int value) { return static_cast<std::size_t>(value); }

}  // namespace

Image read_image(const std::string& path, int channels) {
#ifdef MPQ_HAVE_STB
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > size(std::numeric_limits<int>::max())) {
    throw Error(ErrorCode::kInvalidInput, "The image file is larger than 2 GiB.", path);
  }
  Image image;
  int channels_in_file = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), static_cast<int>(bytes.size()),
                            &image.width, &image.height, &channels_in_file, channels),
      stbi_image_free);
  if (!pixels) {
    const char* reason = stbi_failure_reason();
    throw Error(ErrorCode::kInvalidInput,
                "The image cannot be decoded: " + std::string(reason != nullptr ? reason : "unknown reason") + ".",
                path, "Remove it, or convert it to an ordinary PNG or JPEG.");
  }
  image.channels = channels;
  const std::size_t count = size(image.width) * size(image.height) * size(channels);
  image.values.assign(pixels.get(), pixels.get() + count);
  return image;
#else
  (void)channels;
  throw Error(ErrorCode::kUnsupported, "This mpq was built without stb and cannot read images.", path,
              "Build it with libstb-dev installed, or give the images as an .npz file.");
#endif
}

Image resize(const Image& image, int width, int height) {
  if (image.width == width && image.height == height) return image;
  const std::size_t channels = size(image.channels);
  Image wide{width, image.height, image.channels, std::vector<float>(size(width) * size(image.height) * channels)};
  filter(image.values, wide.values, triangle_taps(image.width, width),
         {size(image.height), size(image.width) * channels, size(width) * channels, channels});
  Image result{width, height, image.channels, std::vector<float>(size(width) * size(height) * channels)};
  filter(wide.values, result.values, triangle_taps(image.height, height), {1, 0, 0, size(width) * channels});
  return result;
}

}  // namespace mpq::data
