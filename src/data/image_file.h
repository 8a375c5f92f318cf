#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mpq::data {

/// Pixels row by row, channels interleaved, values 0 to 255.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<float> values;
};

/// Decodes a PNG, JPEG or BMP file as grey (1 channel) or RGB (3). Throws Error{kInvalidInput} with the decoder's
/// reason.
Image read_image(const std::string& path, int channels);

/// Bilinear with half-pixel centres; where the image shrinks, the triangle widens to cover every source pixel
/// (Pillow's and torchvision's "bilinear").
Image resize(const Image& image, int width, int height);

}  // namespace mpq::data
