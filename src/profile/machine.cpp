#include "profile/machine.h"

#include <sstream>
#include <string>

#include "mpq/error.h"
#include "mpq/profile.h"

#include "runtime/session.h"
#include "support/affinity.h"
#include "support/hash.h"
#include "support/processor.h"
#include "support/text.h"

namespace mpq {

MachineFacts this_machine() {
  MachineFacts facts;
  // Names are shared by processors with different instructions, and these decide which kernels run.
  Sha256 flags;
  flags.update(cpu_fact("flags") + cpu_fact("Features"));
  facts.cpu = cpu_name();
  if (facts.cpu.empty()) facts.cpu = "unknown";
  facts.cores = static_cast<int>(available_cores().size());
  facts.runtime = "ONNX Runtime " + runtime::runtime_version();
  Sha256 hash;
  hash.update(join({facts.cpu, flags.hex(), std::to_string(facts.cores), facts.runtime}, "\n"));
  facts.sha256 = hash.hex();
  return facts;
}

void require_matches(const Profile& profile, const Model& model) {
  if (profile.model.sha256 != model.facts().sha256) {
    throw Error(ErrorCode::kInvalidInput,
                "The profile is of another model: it was made of " + profile.model.path +
                    ", whose contents have another hash than those of this file.",
                model.facts().path, "Make a profile of this model with mpq profile.");
  }
  const MachineFacts here = this_machine();
  if (profile.machine.sha256 == here.sha256) return;
  const auto describe = [](const MachineFacts& machine) {
    return machine.cpu + ", " + std::to_string(machine.cores) + " cores, " + machine.runtime;
  };
  throw Error(ErrorCode::kInvalidInput,
              "The profile was measured on another machine: on " + describe(profile.machine) + ". This one is " +
                  describe(here) + ".",
              profile.model.path, "Times of one machine say nothing of another: run mpq profile here.");
}

bool profiling::has_bfloat16() {
  std::istringstream flags(cpu_fact("flags") + " " + cpu_fact("Features"));
  for (std::string flag; flags >> flag;) {
    if (flag == "avx512_bf16" || flag == "amx_bf16" || flag == "bf16") return true;
  }
  return false;
}

}  // namespace mpq
