#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mpq/tensor.h"

namespace mpq::runtime {

/// A tensor that one session computed or a caller gave, handed to other sessions without a copy. Copies share it;
/// immutable. Lives in host memory, which all processors read.
class SharedValue {
 public:
  SharedValue() = default;
  /// Views the tensor's bytes and keeps them alive.
  explicit SharedValue(Tensor tensor);
  /// Copies it out.
  Tensor tensor() const;
  std::int64_t size_bytes() const;          ///< 0 for what is no tensor
  std::vector<std::int64_t> shape() const;  ///< empty for what is no tensor
  explicit operator bool() const { return impl_ != nullptr; }

  struct Impl;
  explicit SharedValue(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace mpq::runtime
