// SPDX-License-Identifier: Apache-2.0
// rh.estimate/1 for engines in C++: a member function becomes the extension.
#pragma once

#include <cstdint>
#include <vector>

#include "roundhouse/ext/estimate.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse {

struct StageEstimate {
  std::uint32_t stage = RH_STAGE_LOAD;  // RH_STAGE_*
  std::uint64_t elapsed_ns = 0;
  std::uint64_t operations = 0;
  std::uint64_t peak_bytes = 0;
};

struct Estimate {
  std::vector<StageEstimate> stages;
  std::uint64_t held_bytes = 0;
};

// What `extension(RH_ESTIMATE_ID)` of the engine class E returns. E has
// `Estimate estimate(const ModelSource& source, const ImageRequest& request, Options& options)`, the options
// being the request's.
template <class E>
const rh_estimate* estimate_extension() {
  constexpr auto image = [](rh_engine* engine, const rh_model_source* source, const rh_image_request* request,
                            const rh_estimate_sink* sink, rh_error* error) -> rh_status {
    return detail::guard_for<E>(error, [&] {
      E& self = engine_of<E>(&detail::required(engine, "engine"));
      const rh_model_source& from = checked(source, "source");
      const rh_estimate_sink& to = checked(sink, "sink");
      const ImageRequest values = detail::read_request(request);
      Options model_options(from.options, "the engine");
      Options request_options(request->options, "the engine");
      LoadSink load(from.sink);
      const ModelSource model{std::string(detail::view_of(from.directory)),
                              std::string(detail::view_of(from.architecture)), from.memory_limit_bytes,
                              model_options, load};
      const Estimate estimate = self.estimate(model, values, request_options);
      model_options.refuse_unread();
      request_options.refuse_unread();
      for (const StageEstimate& stage : estimate.stages) {
        const rh_stage_estimate record{sizeof(rh_stage_estimate), stage.stage, stage.elapsed_ns,
                                       stage.operations, stage.peak_bytes};
        detail::required(to.stage, "sink.stage")(to.context, &record);
      }
      detail::required(to.held, "sink.held")(to.context, estimate.held_bytes);
    });
  };
  static constexpr rh_estimate extension{sizeof(rh_estimate), 0, +image};
  return &extension;
}

}  // namespace roundhouse
