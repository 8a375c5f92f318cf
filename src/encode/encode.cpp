#include "encode/encode.h"

#include <optional>
#include <set>

#include "mpq/error.h"

#include "encode/metadata.h"
#include "encode/model_writer.h"
#include "encode/plan_check.h"
#include "encode/quantized_model.h"

namespace mpq::encode {

namespace {

WrittenLayer written_grid(const Layer& layer, const StorageForm& form, bool dynamic, const IntegerSite& site) {
  if (dynamic)
    return {layer.name,
            std::string("int8 kernel with dynamic int8 activations") + (site.equalized ? ", equalized" : ""), ""};
  switch (form.run) {
    case StorageForm::Run::kInt8:
      return {layer.name, "int8 kernel", ""};
    case StorageForm::Run::kInt4:
      return {layer.name, "int4 kernel", ""};
    case StorageForm::Run::kStatic:
      return {layer.name, "int8 kernel with int8 activations", ""};
    case StorageForm::Run::kLookup:
      return {layer.name, "int8 rows, floats once they are looked up", ""};
    case StorageForm::Run::kFolded:
      break;
  }
  return {layer.name, "folded to float", form.reason};
}

/// Every layer of the plan brought to the writer.
class PlanWriter {
 public:
  PlanWriter(const Model& model, const Plan& plan, const Forms& forms)
      : model_(model),
        layers_(quantizable_layers(model)),
        candidates_(planned_candidates(model, plan)),
        forms_(forms),
        portable_(plan.portable),
        sites_(forms.run_form == RunForm::kInteger ? integer_sites(model) : float_sites(model)),
        writer_(model, forms.to_disk) {
    for (const auto& [layer, reason] : forms.folded) sites_.at(layer) = {false, false, reason};
    for (const std::size_t layer : layers_) {
      if (forms.integers == nullptr) break;
      if (forms.integers->runs(layer)) {
        sites_[layer] = {true, false, {}, true};
      } else if (!sites_[layer].possible && !forms.integers->units.reasons[layer].empty()) {
        sites_[layer].reason = forms.integers->units.reasons[layer];
      }
    }
    choose_dynamic();
  }

  /// `quantized` null: sizes only.
  void write(const std::function<quant::QuantizedTensor(std::size_t)>* quantized) {
    for (std::size_t i = 0; i < layers_.size(); ++i) write_layer(layers_[i], candidates_[i], quantized);
    if (forms_.integers != nullptr) writer_.write_activations(*forms_.integers);
  }

  void replace(const Constants& constants) {
    for (const auto& [name, numbers] : constants) writer_.replace_constant(name, numbers);
  }

  bool changed() const { return changed_; }
  const std::vector<WrittenLayer>& written() const { return written_; }
  ModelWriter::Result finish(const Plan& plan) { return writer_.finish(merged_text(plan)); }

 private:
  void choose_dynamic() {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      IntegerSite& site = sites_[layers_[i]];
      const Layer& layer = model_.layers()[layers_[i]];
      if (forms_.dynamic.count(layers_[i]) == 0 || !takes_dynamic_input(layer, site, candidates_[i])) continue;
      site.activations = true;
      dynamic_.insert(layers_[i]);
    }
  }

  void write_layer(std::size_t index, const Candidate& candidate,
                   const std::function<quant::QuantizedTensor(std::size_t)>* quantized) {
    const Layer& layer = model_.layers()[index];
    if (leaves_unchanged(layer, candidate)) {
      written_.push_back({layer.name, "float", ""});
      return;
    }
    changed_ = true;
    if (candidate.form == "half") {
      write_half(index, quantized != nullptr);
      return;
    }
    const StorageForm form = storage_form(layer, candidate, {model_.opset(), portable_}, sites_[index]);
    const bool dynamic = dynamic_.count(index) > 0;
    written_.push_back(written_grid(layer, form, dynamic, sites_[index]));
    const bool fixed = form.run == StorageForm::Run::kStatic && !dynamic;  // grids of the activations
    std::optional<quant::QuantizedTensor> numbers;
    if (quantized != nullptr) numbers = numbers_of(index, candidate, *quantized);
    if (fixed && numbers) {
      const graph::IntegerUnit& unit = forms_.integers->unit_of(index);
      const float input_scale = forms_.integers->grids.at(unit.reads[0].value).scale;
      raise_scales_for_bias(writer_.bias_of(unit), input_scale, layer.channel_axes, *numbers);
    }
    const quant::QuantizedTensor* given = numbers ? &*numbers : nullptr;
    writer_.write_grid(index, form, given);
    if (fixed) writer_.write_bias(index, *forms_.integers, given);
    if (dynamic) writer_.write_dynamic_activations(index);
    if (form.run == StorageForm::Run::kLookup) writer_.write_lookup(index, form, given);
  }

  quant::QuantizedTensor numbers_of(std::size_t index, const Candidate& candidate,
                                    const std::function<quant::QuantizedTensor(std::size_t)>& quantized) const {
    quant::QuantizedTensor numbers = quantized(index);
    if (numbers.candidate == candidate) return numbers;
    throw Error(ErrorCode::kInternal,
                "The layer was quantized as " + to_string(numbers.candidate) + " where the plan says " +
                    to_string(candidate) + ".",
                model_.layers()[index].name);
  }

  void write_half(std::size_t index, bool with_numbers) {
    written_.push_back({model_.layers()[index].name, "folded to float", ""});
    if (!with_numbers) return writer_.write_half(index, nullptr);
    const std::vector<float> weight = model_.weight(index);
    writer_.write_half(index, &weight);
  }

  /// A model that mpq wrote before keeps what its plan says about the layers it quantized then.
  std::string merged_text(const Plan& plan) const {
    PlanText text = plan_text_of(plan);
    PlanText before = parse_plan_text(plan_text(model_.impl().proto));
    for (auto& [layer, candidate] : before.layers) {
      if (candidate != "float") text.layers.emplace_back(std::move(layer), std::move(candidate));
    }
    return encode::write(text);
  }

  const Model& model_;
  std::vector<std::size_t> layers_;
  std::vector<Candidate> candidates_;
  const Forms& forms_;
  bool portable_;
  std::vector<IntegerSite> sites_;
  std::set<std::size_t> dynamic_;
  ModelWriter writer_;
  std::vector<WrittenLayer> written_;
  bool changed_ = false;
};

Model finished_model(const Model& model, ModelWriter::Result result) {
  auto impl = std::make_shared<Model::Impl>();
  impl->proto = std::move(result.proto);
  impl->store = std::move(result.store);
  impl->had_external_data = model.impl().had_external_data;
  graph::complete(*impl, "the quantized model");
  return Model(std::move(impl));
}

/// Byte figures as they really are. Stored bytes are by definition those of layer and candidate.
Plan with_true_bytes(const Model& model, Plan plan, std::int64_t file_bytes) {
  plan.file_bytes = file_bytes;
  plan.stored_bytes = 0;
  plan.parameters = 0;
  std::size_t next = 0;
  const std::vector<std::size_t> layers = quantizable_layers(model);
  std::vector<PlanEntry> ordered;
  for (; next < layers.size(); ++next) {
    const Layer& layer = model.layers()[layers[next]];
    for (PlanEntry& entry : plan.entries) {
      if (entry.layer != layer.name) continue;
      entry.stored_bytes = stored_bytes(layer, entry.candidate);
      plan.stored_bytes += entry.stored_bytes;
      plan.parameters += layer.parameters;
      break;
    }
  }
  constexpr double kBitsPerByte = 8;
  plan.bits_per_weight =
      plan.parameters > 0 ? kBitsPerByte * static_cast<double>(plan.stored_bytes) / static_cast<double>(plan.parameters)
                          : 0;
  return plan;
}

}  // namespace

QuantizedModel encode(const Model& model, const Plan& plan, const Forms& forms,
                      const std::function<quant::QuantizedTensor(std::size_t)>& quantized, const Constants& constants) {
  PlanWriter writer(model, plan, forms);
  writer.replace(constants);  // first: biases become integers with their layers
  writer.write(&quantized);
  Model result = writer.changed() ? finished_model(model, writer.finish(plan)) : model;
  const bool external = needs_external_data(result.impl());
  const std::int64_t bytes = bytes_of(result.impl(), external);
  return QuantizedModel(std::make_shared<QuantizedModel::Impl>(
      QuantizedModel::Impl{std::move(result), with_true_bytes(model, plan, bytes), writer.written(), bytes, external}));
}

std::int64_t exact_file_bytes(const Model& model, const Plan& plan, RunForm run_form) {
  const Forms forms{run_form, nullptr, {}, false};
  PlanWriter writer(model, plan, forms);
  writer.write(nullptr);
  if (!writer.changed()) return bytes_of(model.impl(), needs_external_data(model.impl()));
  ModelWriter::Result result = writer.finish(plan);
  Model::Impl impl;
  impl.proto = std::move(result.proto);
  impl.store = std::move(result.store);
  impl.had_external_data = model.impl().had_external_data;
  return bytes_of(impl, needs_external_data(impl));
}

std::string embedded_plan(const Model& model) { return plan_text(model.impl().proto); }

}  // namespace mpq::encode
