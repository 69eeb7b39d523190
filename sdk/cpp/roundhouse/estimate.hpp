// SPDX-License-Identifier: Apache-2.0
// rh.estimate/1 for engines in C++: a member function becomes the extension.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "roundhouse/ext/estimate.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse {

struct MemoryPart {
  std::string part;  // "transformer", "activations"
  std::uint64_t bytes = 0;
  std::string device = "cpu";  // one of the descriptor's
};

struct StageEstimate {
  std::uint32_t stage = RH_STAGE_LOAD;  // RH_STAGE_*
  std::uint64_t elapsed_ns = 0;
  std::uint64_t operations = 0;
  std::uint64_t peak_bytes = 0;
  std::vector<MemoryPart> memory = {};  // of the peak; those on "cpu" add up to it
};

struct Estimate {
  std::vector<StageEstimate> stages;
  std::uint64_t held_bytes = 0;
  std::vector<MemoryPart> held_memory = {};
};

namespace detail {

inline void tell_memory(const rh_estimate_sink& to, std::uint32_t stage,
                        const std::vector<MemoryPart>& parts) {
  if (!RH_HAS_FIELD(&to, rh_estimate_sink, memory) || to.memory == nullptr) return;
  for (const MemoryPart& part : parts) {
    const rh_memory_part record{sizeof(rh_memory_part), stage, part.device.c_str(), part.part.c_str(),
                                part.bytes};
    to.memory(to.context, &record);
  }
}

}  // namespace detail

// What `extension(RH_ESTIMATE_ID)` of the engine class E returns. E has
// `Estimate estimate(const ModelSource& source, const ImageRequest& request, Options& options)`, the options
// being the request's.
template <class E>
const rh_estimate* estimate_extension() {
  constexpr auto image = [](rh_engine* engine, const rh_model_source* source, const rh_image_request* request,
                            const rh_estimate_sink* sink, rh_error* error) -> rh_status {
    return detail::guard_for<E>(error, [&] {
      E& self = engine_of<E>(&detail::required(engine, "engine"));
      detail::SourceReader from(checked(source, "source"));
      const rh_estimate_sink& to = checked(sink, "sink");
      const ImageRequest values = detail::read_request(request);
      Options options(request->options, "the engine");
      const Estimate estimate = self.estimate(from.model(), values, options);
      from.options().refuse_unread();
      options.refuse_unread();
      for (const StageEstimate& stage : estimate.stages) {
        const rh_stage_estimate record{sizeof(rh_stage_estimate), stage.stage, stage.elapsed_ns,
                                       stage.operations, stage.peak_bytes};
        detail::required(to.stage, "sink.stage")(to.context, &record);
        detail::tell_memory(to, stage.stage, stage.memory);
      }
      detail::required(to.held, "sink.held")(to.context, estimate.held_bytes);
      detail::tell_memory(to, RH_MEMORY_HELD, estimate.held_memory);
    });
  };
  static constexpr rh_estimate extension{sizeof(rh_estimate), 0, +image};
  return &extension;
}

}  // namespace roundhouse
