#include "graph/layers.h"
#include "graph/model_impl.h"
#include "graph/validate.h"

namespace mpq::graph {

void complete(Model::Impl& impl, const std::string& where) {
  validate(impl, where);
  describe_interface(impl, where);
  find_layers(impl);
}

}  // namespace mpq::graph
