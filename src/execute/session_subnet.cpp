#include "execute/session_subnet.h"

#include <utility>

namespace mpq::executing {
namespace {

class SessionSubnet : public Subnet {
 public:
  explicit SessionSubnet(runtime::Session session) : session_(std::move(session)) {}
  std::vector<Value> run(const std::vector<Value>& inputs) override { return session_.run_values(inputs); }

 private:
  runtime::Session session_;
};

}  // namespace

std::unique_ptr<Subnet> make_session(const profiling::CuttableModel& model, const std::vector<int>& segments,
                                     const Processor& processor, const std::string& precision) {
  return std::make_unique<SessionSubnet>(model.session(segments, processor, precision));
}

}  // namespace mpq::executing
