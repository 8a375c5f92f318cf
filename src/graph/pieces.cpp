#include "graph/pieces.h"

#include <algorithm>
#include <set>

#include "mpq/error.h"

#include "graph/run_index.h"
#include "graph/subnet.h"
#include "graph/types.h"
#include "graph/wording.h"

namespace mpq::graph {

namespace {

std::size_t at(int number) { return static_cast<std::size_t>(number); }

/// Operators whose kernels take a weight that is computed or fed as well as a constant one.
bool takes_fed_weight(const onnx::NodeProto& node) {
  static const std::set<std::string> kOperators = {"MatMul", "Gemm", "Gather", "Conv"};
  return (node.domain().empty() || node.domain() == "ai.onnx") && kOperators.count(node.op_type()) > 0;
}

class Division {
 public:
  Division(const RunForm& form, const std::vector<std::string>& wanted, const ConstantBytes& known)
      : form_(form), index_(*form.index), known_(known), wanted_(index_.values.size(), 0) {
    for (const std::string& name : wanted) {
      const int value = index_.find(name);
      if (value < 0) throw Error(ErrorCode::kInternal, "The network has no value " + in_quotes(name) + ".");
      wanted_[at(value)] = 1;
    }
    find_nodes();
    find_lives();
  }

  std::vector<Piece> run(std::int64_t most_bytes) {
    std::vector<Piece> pieces;
    for (std::size_t begin = 0; begin < nodes_.size();) {
      const std::size_t end = end_of_piece(begin, most_bytes);
      pieces.push_back(piece(begin, end));
      begin = end;
    }
    if (pieces.empty()) pieces.emplace_back();
    add_idle_outputs(pieces.back());
    return pieces;
  }

 private:
  /// The nodes that lead to what is wanted, except those of constants.
  void find_nodes() {
    std::vector<char> needed(index_.nodes.size(), 0), seen = wanted_;
    std::vector<int> open;
    for (std::size_t v = 0; v < seen.size(); ++v) {
      if (seen[v] != 0) open.push_back(static_cast<int>(v));
    }
    while (!open.empty()) {
      const int producer = index_.value(open.back()).producer;
      open.pop_back();
      if (producer < 0 || needed[at(producer)] != 0) continue;
      needed[at(producer)] = 1;
      for (const int read : index_.node(producer).reads) open.push_back(read);
    }
    for (std::size_t n = 0; n < needed.size(); ++n) {
      if (needed[n] != 0 && !index_.nodes[n].constant) nodes_.push_back(static_cast<int>(n));
    }
  }

  /// Where each value is read last, and how many cross between every two neighbours.
  void find_lives() {
    last_read_.assign(index_.values.size(), 0);
    made_.assign(index_.values.size(), 0);
    for (std::size_t p = 0; p < nodes_.size(); ++p) {
      for (const int read : index_.node(nodes_[p]).reads) last_read_[at(read)] = p;
      for (const int written : index_.node(nodes_[p]).writes) made_[at(written)] = p;
    }
    crossing_.assign(nodes_.size() + 1, 0);
    std::vector<int> change(nodes_.size() + 1, 0);
    for (const int node : nodes_) {
      for (const int written : index_.node(node).writes) {
        if (last_read_[at(written)] <= made_[at(written)]) continue;
        const int weight = index_.value(written).tensor ? 1 : kForbidden;
        change[made_[at(written)] + 1] += weight;
        change[last_read_[at(written)] + 1] -= weight;
      }
    }
    int now = 0;
    for (std::size_t p = 0; p < nodes_.size(); ++p) crossing_[p] = now += change[p];
  }

  std::int64_t bytes_of(int value) const {
    const RunIndex::ValueFacts& facts = index_.value(value);
    const auto known = known_.find(facts.name);
    if (known != known_.end()) return known->second;
    if (facts.initializer < 0) return 0;
    const onnx::TensorProto& tensor = form_.model.graph().initializer(facts.initializer);
    return in_store(tensor) ? static_cast<std::int64_t>(form_.store->bytes(store_index(tensor)).size())
                            : static_cast<std::int64_t>(tensor.ByteSizeLong());
  }

  enum class Depth { kKnown, kAll };

  /// The constants a node computes with: initializers, and what nodes compute from them. To kKnown, what is known of a
  /// computed constant stands for all it is computed from.
  void add_constants(int node, Depth depth, std::set<int>& constants) const {
    std::vector<int> open = index_.node(node).reads;
    while (!open.empty()) {
      const int value = open.back();
      open.pop_back();
      const RunIndex::ValueFacts& facts = index_.value(value);
      if (!facts.constant || !constants.insert(value).second || facts.producer < 0) continue;
      if (depth == Depth::kKnown && known_.count(facts.name) > 0) continue;
      const auto& reads = index_.node(facts.producer).reads;
      open.insert(open.end(), reads.begin(), reads.end());
    }
  }

  std::int64_t bytes_of(const std::set<int>& constants) const {
    std::int64_t bytes = 0;
    for (const int value : constants) bytes += bytes_of(value);
    return bytes;
  }

  static constexpr int kForbidden = 1 << 20;  ///< crossings of what cannot be fed: sequences and maps

  std::size_t end_of_piece(std::size_t begin, std::int64_t most_bytes) const {
    std::set<int> constants;
    std::vector<std::int64_t> filled;  // behind every node
    std::size_t end = begin;
    while (end < nodes_.size()) {
      std::set<int> more = constants;
      add_constants(nodes_[end], Depth::kKnown, more);
      const std::int64_t bytes =
          more.size() == constants.size() ? (filled.empty() ? 0 : filled.back()) : bytes_of(more);
      if (end > begin && bytes > most_bytes && bytes > filled.back()) break;
      constants = std::move(more);
      filled.push_back(bytes);
      ++end;
    }
    if (end == nodes_.size()) return end;
    std::size_t best = end;
    for (std::size_t cut = end; cut > begin && 2 * filled[cut - begin - 1] >= filled.back(); --cut) {
      if (crossing_[cut] < crossing_[best]) best = cut;
    }
    while (best < nodes_.size() && crossing_[best] >= kForbidden) ++best;
    return best;
  }

  bool fed_weight(int value, std::size_t begin, std::size_t end) const {
    const RunIndex::ValueFacts& facts = index_.value(value);
    if (facts.initializer < 0 || wanted_[at(value)] != 0) return false;
    const onnx::TensorProto& tensor = form_.model.graph().initializer(facts.initializer);
    if (!in_store(tensor) || tensor.data_type() != onnx::TensorProto::FLOAT) return false;
    return std::all_of(facts.readers.begin(), facts.readers.end(), [&](int reader) {
      const bool inside = std::binary_search(nodes_.begin() + offset(begin), nodes_.begin() + offset(end), reader);
      return (!inside && !index_.node(reader).constant) || takes_fed_weight(form_.model.graph().node(reader));
    });
  }

  static std::ptrdiff_t offset(std::size_t count) { return static_cast<std::ptrdiff_t>(count); }

  Piece piece(std::size_t begin, std::size_t end) const {
    Piece result;
    result.nodes.assign(nodes_.begin() + offset(begin), nodes_.begin() + offset(end));
    std::set<int> inputs, constants, all_constants;
    for (const int node : result.nodes) {
      add_constants(node, Depth::kKnown, constants);
      add_constants(node, Depth::kAll, all_constants);
      for (const int read : index_.node(node).reads) {
        const RunIndex::ValueFacts& facts = index_.value(read);
        if (!facts.constant && (facts.producer < 0 || made_[at(read)] < begin)) inputs.insert(read);
      }
    }
    for (const int value : inputs) result.inputs.push_back(index_.value(value).name);
    for (const int value : all_constants) {
      const bool computed = index_.value(value).producer >= 0;
      (computed ? result.computed : result.constants).push_back(index_.value(value).name);
      if (fed_weight(value, begin, end)) result.weights.push_back(index_.value(value).name);
    }
    for (const int node : result.nodes) {
      for (const int written : index_.node(node).writes) {
        if (last_read_[at(written)] >= end || wanted_[at(written)] != 0)
          result.outputs.push_back(index_.value(written).name);
      }
    }
    result.constant_bytes = bytes_of(constants);
    return result;
  }

  /// What is wanted and computed by no piece: constants.
  void add_idle_outputs(Piece& last) const {
    for (std::size_t v = 0; v < wanted_.size(); ++v) {
      const RunIndex::ValueFacts& facts = index_.values[v];
      if (wanted_[v] != 0 && facts.constant) last.outputs.push_back(facts.name);
    }
  }

  const RunForm& form_;
  const RunIndex& index_;
  const ConstantBytes& known_;
  std::vector<char> wanted_;
  std::vector<int> nodes_;
  std::vector<std::size_t> made_, last_read_;  ///< by value: positions in nodes_
  std::vector<int> crossing_;                  ///< by position: values alive just before it
};

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

ValueInfo type_of(const onnx::TensorProto& tensor) {
  ValueInfo info;
  info.name = tensor.name();
  info.dtype = dtype_of(tensor.data_type());
  info.shape.assign(tensor.dims().begin(), tensor.dims().end());
  info.symbols.assign(info.shape.size(), "");
  return info;
}

}  // namespace

std::vector<Piece> pieces_of(const RunForm& form, const std::vector<std::string>& wanted, std::int64_t most_bytes,
                             const ConstantBytes& known) {
  return Division(form, wanted, known).run(most_bytes);
}

onnx::ModelProto fed_model(const RunForm& form, const Piece& piece, const std::map<std::string, ValueInfo>& types,
                           const std::vector<std::string>& more) {
  std::map<std::string, ValueInfo> all = types;
  for (const std::string& weight : piece.weights) {
    all.insert_or_assign(weight, type_of(initializer_of(form, weight)));
  }
  return subnet(form, joined(piece.inputs, piece.weights), joined(piece.outputs, more), all);
}

const onnx::TensorProto& initializer_of(const RunForm& form, const std::string& name) {
  const int value = form.index->find(name);
  if (value < 0 || form.index->value(value).initializer < 0) {
    throw Error(ErrorCode::kInternal, "The network has no initializer " + in_quotes(name) + ".");
  }
  return form.model.graph().initializer(form.index->value(value).initializer);
}

}  // namespace mpq::graph
