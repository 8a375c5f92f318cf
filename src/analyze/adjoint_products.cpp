#include "analyze/adjoint_products.h"

#include <algorithm>

#include <Eigen/Core>

#include "support/parallel.h"

namespace mpq::perturb {

namespace {

double dot(const float* a, const float* b, std::size_t count) {
  const auto n = static_cast<Eigen::Index>(count);
  return static_cast<double>(Eigen::Map<const Eigen::VectorXf>(a, n).dot(Eigen::Map<const Eigen::VectorXf>(b, n)));
}

std::int64_t index_at(const Tensor& indices, std::size_t i) {
  return indices.type() == DType::kInt32 ? indices.as<std::int32_t>()[i] : indices.as<std::int64_t>()[i];
}

void declare(onnx::ValueInfoProto& info, const std::string& name, const std::string& rows, const std::string& columns) {
  info.set_name(name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const auto& extent : {rows, columns}) type.mutable_shape()->add_dim()->set_dim_param(extent);
}

/// products = errors adjoints'
onnx::ModelProto product_model() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("products");
  declare(*graph.add_input(), "errors", "candidates", "weights");
  declare(*graph.add_input(), "adjoints", "rows", "weights");
  declare(*graph.add_output(), "products", "candidates", "rows");
  onnx::NodeProto& turn = *graph.add_node();
  turn.set_op_type("Transpose");
  turn.add_input("adjoints");
  turn.add_output("turned");
  onnx::NodeProto& product = *graph.add_node();
  product.set_op_type("MatMul");
  product.add_input("errors");
  product.add_input("turned");
  product.add_output("products");
  return model;
}

}  // namespace

std::vector<float> ErrorCache::one(std::size_t task, std::size_t candidate, std::span<const float> weight) const {
  std::vector<float> error = stored_.values(task, candidate, weight);
  for (std::size_t i = 0; i < error.size(); ++i) error[i] -= weight[i];
  return error;
}

std::shared_ptr<const Tensor> ErrorCache::make(std::size_t task) const {
  const Task& description = experiment_.tasks[task];
  const std::vector<float> weight = experiment_.model.weight(description.layer);
  const std::size_t candidates = description.candidates.size();
  auto errors = std::make_shared<Tensor>(
      DType::kFloat32,
      std::vector<std::int64_t>{static_cast<std::int64_t>(candidates), static_cast<std::int64_t>(weight.size())});
  for (std::size_t c = 0; c < candidates; ++c) {
    const std::vector<float> error = one(task, c, weight);
    std::copy(error.begin(), error.end(), errors->as_mutable<float>().subspan(c * weight.size()).begin());
  }
  return errors;
}

void ErrorCache::prepare(const std::vector<std::size_t>& tasks) {
  std::vector<std::size_t> keep;
  for (const std::size_t task : tasks) {
    const Task& description = experiment_.tasks[task];
    const std::int64_t bytes = experiment_.layer_of(description).parameters *
                               static_cast<std::int64_t>(sizeof(float) * description.candidates.size());
    if (kept_[task] || bytes > left_bytes_) continue;
    left_bytes_ -= bytes;
    keep.push_back(task);
  }
  parallel_for(keep.size(), resolve_threads(experiment_.options.threads),
               [&](std::size_t i, int) { kept_[keep[i]] = make(keep[i]); });
}

std::shared_ptr<const Tensor> ErrorCache::get(std::size_t task) const { return kept_[task] ? kept_[task] : make(task); }

double ProductTable::damage(std::size_t candidate, std::size_t trial) const {
  double sum = 0;
  for (std::size_t r = 0; r < probes_; ++r) {
    const double value = values_[(candidate * trials_ + trial) * probes_ + r];
    sum += value * value;
  }
  return sum / static_cast<double>(probes_);
}

RowProducts::RowProducts() : session_(product_model(), graph::TensorStore()) {}

Tensor RowProducts::operator()(const Tensor& errors, const Tensor& adjoints) const {
  return session_.run({{"errors", errors}, {"adjoints", adjoints}}, {"products"})[0];
}

double gathered_product(const Tensor& adjoint, const Tensor& indices, std::span<const float> error,
                        std::int64_t table_rows, std::size_t probe) {
  const auto picked = static_cast<std::size_t>(indices.size());
  const std::size_t row = error.size() / static_cast<std::size_t>(table_rows);
  const float* numbers = adjoint.as<float>().data() + probe * picked * row;
  double sum = 0;
  for (std::size_t i = 0; i < picked; ++i) {
    const std::int64_t index = index_at(indices, i);
    const auto place = static_cast<std::size_t>(index < 0 ? index + table_rows : index);
    sum += dot(numbers + i * row, error.data() + place * row, row);
  }
  return sum;
}

}  // namespace mpq::perturb
