#include "runtime/shared_value.h"

#include <utility>

#include "runtime/shared_value_impl.h"
#include "runtime/values.h"

namespace mpq::runtime {

SharedValue::SharedValue(Tensor tensor) {
  auto impl = std::make_shared<Impl>();
  impl->viewed = std::move(tensor);
  impl->value = view(impl->viewed);
  impl_ = std::move(impl);
}

Tensor SharedValue::tensor() const { return take(impl_->value); }

std::int64_t SharedValue::size_bytes() const {
  return impl_->value.IsTensor() ? static_cast<std::int64_t>(impl_->value.GetTensorSizeInBytes()) : 0;
}

std::vector<std::int64_t> SharedValue::shape() const {
  if (!impl_->value.IsTensor()) return {};
  return impl_->value.GetTensorTypeAndShapeInfo().GetShape();
}

}  // namespace mpq::runtime
