#include "data/images.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "mpq/error.h"

#include "data/fit.h"
#include "data/image_file.h"
#include "graph/wording.h"
#include "support/text.h"

namespace mpq::data {
namespace {

namespace fs = std::filesystem;

/// How an image lies in the model's input; extents of -1 are free.
struct Layout {
  bool channels_first = true;
  int channels = 3;
  std::int64_t height = -1;
  std::int64_t width = -1;
};

/// (x / 255 - mean) / deviation per channel.
struct Scaling {
  std::array<float, 3> mean;
  std::array<float, 3> deviation;
};

bool is_image(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".bmp";
}

std::vector<fs::path> images_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && is_image(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The layout the input's extents tell: channels are 1 or 3, first (ONNX's convention) where both ends would do.
std::optional<Layout> layout_of(const ValueInfo& input) {
  const bool takes_pixels = input.dtype == DType::kFloat32 || input.dtype == DType::kFloat16 ||
                            input.dtype == DType::kFloat64 || input.dtype == DType::kUInt8;
  if (!takes_pixels || !input.has_rank || input.shape.size() != 4) return std::nullopt;
  const auto channels = [](std::int64_t extent) { return extent == 1 || extent == 3; };
  const auto& s = input.shape;
  if (channels(s[1]) || (s[1] < 0 && !channels(s[3]))) {
    return Layout{true, s[1] < 0 ? 3 : static_cast<int>(s[1]), s[2], s[3]};
  }
  if (channels(s[3])) return Layout{false, static_cast<int>(s[3]), s[1], s[2]};
  return std::nullopt;
}

/// The usual statistics of ImageNet's training images; grey images take their means.
Scaling scaling_of(const std::string& preset, int channels) {
  if (preset == "unit") return {{0, 0, 0}, {1, 1, 1}};
  if (preset == "minus1to1") return {{0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}};
  if (preset == "imagenet" || preset.empty()) {
    if (channels == 1) return {{0.449F, 0, 0}, {0.226F, 1, 1}};
    return {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
  }
  throw Error(ErrorCode::kUsage, "There is no image preset '" + preset + "'.", "--image-preset",
              "Use imagenet, unit or minus1to1.");
}

Tensor to_tensor(const Image& image, const Layout& layout, DType type, const Scaling& scaling) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t pixels = image.values.size() / channels;
  const std::int64_t h = image.height, w = image.width, c = image.channels;
  const bool raw = type == DType::kUInt8;
  Tensor tensor(raw ? DType::kUInt8 : DType::kFloat32,
                layout.channels_first ? std::vector<std::int64_t>{1, c, h, w} : std::vector<std::int64_t>{1, h, w, c});
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t k = 0; k < channels; ++k) {
      const float value = image.values[p * channels + k];
      const std::size_t at = layout.channels_first ? k * pixels + p : p * channels + k;
      if (raw) {
        tensor.as_mutable<std::uint8_t>()[at] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
      } else {
        tensor.as_mutable<float>()[at] = (value / 255.0F - scaling.mean[k]) / scaling.deviation[k];
      }
    }
  }
  return tensor;
}

}  // namespace

bool holds_images(const fs::path& folder) {
  const auto files = fs::recursive_directory_iterator(folder);
  return std::any_of(begin(files), end(files), [](const fs::directory_entry& entry) {
    return entry.is_regular_file() && is_image(entry.path());
  });
}

std::vector<Feed> feeds_of_images(const fs::path& folder, const Model& model, const SamplesOptions& options) {
  const ValueInfo& input = model.inputs().front();
  std::optional<Layout> layout = model.inputs().size() == 1 ? layout_of(input) : std::nullopt;
  if (!layout) {
    throw Error(ErrorCode::kInvalidInput,
                "Images cannot feed this model: it has " + std::to_string(model.inputs().size()) +
                    " input(s), and the first, " + graph::in_quotes(input.name) + ", takes " + type_text(input) + ".",
                folder.string(), "Images need one input of rank 4 with 1 or 3 channels; else give an .npz file.");
  }
  const Scaling scaling = scaling_of(options.image_preset, layout->channels);
  std::vector<Feed> feeds;
  for (const fs::path& file : images_in(folder)) {
    if (options.limit > 0 && static_cast<std::int64_t>(feeds.size()) == options.limit) break;
    const Image image = read_image(file.string(), layout->channels);
    // A free extent becomes that of the first image, so that all samples have one shape.
    if (layout->height < 0) layout->height = image.height;
    if (layout->width < 0) layout->width = image.width;
    const Image resized = resize(image, static_cast<int>(layout->width), static_cast<int>(layout->height));
    const Tensor tensor = to_tensor(resized, *layout, input.dtype, scaling);
    feeds.push_back({{input.name, fit(tensor, input, {"The image " + file.filename().string(), file.string()})}});
  }
  return feeds;
}

}  // namespace mpq::data
