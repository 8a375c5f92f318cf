#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/samples.h"

namespace mpq::data {

/// True when the folder or one below it holds a .png, .jpg, .jpeg or .bmp file.
bool holds_images(const std::filesystem::path& folder);

/// One sample per image, in byte order of the paths, subfolders included. The model must have one input that an image
/// fits: rank 4, with 1 or 3 channels behind the batch axis or at the end. Images are read as RGB, resized bilinearly
/// (over all source pixels, so that a smaller image does not alias) to the model's height and width, and scaled by
/// `options.image_preset`; a uint8 input gets the bytes 0 to 255. Throws Error{kInvalidInput}, Error{kUsage} for an
/// unknown preset, and Error{kUnsupported} when mpq was built without stb.
std::vector<Feed> feeds_of_images(const std::filesystem::path& folder, const Model& model,
                                  const SamplesOptions& options);

}  // namespace mpq::data
