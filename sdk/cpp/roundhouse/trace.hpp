// SPDX-License-Identifier: Apache-2.0
// rh.trace/1 (draft) for engines in C++: a member function becomes the extension.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "roundhouse/ext/draft/trace.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse {

// The host's ear while an image is made. For the thread of the call but for `cancelled`.
class TraceSink {
 public:
  using Shape = std::initializer_list<std::uint64_t>;  // 1 to 4 axes, the slowest first

  // Borrows both for the call.
  TraceSink(const rh_trace_sink* sink) : sink_(checked(sink, "sink")) {
    detail::required(sink_.tensor, "sink.tensor");
    detail::required(sink_.cancelled, "sink.cancelled");
  }

  // Whether to stop; ask at least once per transformer block. [any-thread]
  bool cancelled() const { return sink_.cancelled(sink_.context) != 0; }

  // Dense values.
  void tensor(const std::string& name, Shape shape, const float* data) {
    tell(name, RH_TENSOR_F32, shape, data);
  }
  void tensor(const std::string& name, Shape shape, const std::int32_t* data) {
    tell(name, RH_TENSOR_I32, shape, data);
  }

 private:
  void tell(const std::string& name, std::uint32_t type, Shape shape, const void* data) {
    rh_tensor record{};
    record.struct_size = sizeof record;
    record.type = type;
    record.name = name.c_str();
    record.rank = static_cast<std::uint32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), std::begin(record.shape));
    record.data = data;
    sink_.tensor(sink_.context, &record);
  }

  const rh_trace_sink& sink_;
};

// What `extension(RH_TRACE_ID)` of the engine class E returns. E has
// `void trace(const ModelSource& source, const ImageRequest& request, Options& options, TraceSink& sink)`,
// the options being the request's.
template <class E>
const rh_trace* trace_extension() {
  constexpr auto image = [](rh_engine* engine, const rh_model_source* source, const rh_image_request* request,
                            const rh_trace_sink* sink, rh_error* error) -> rh_status {
    return detail::guard_for<E>(error, [&] {
      E& self = engine_of<E>(&detail::required(engine, "engine"));
      detail::SourceReader from(checked(source, "source"));
      const ImageRequest values = detail::read_request(request);
      Options options(request->options, "the engine");
      TraceSink ear(sink);
      if (ear.cancelled()) throw Error(RH_CANCELLED, "cancelled");
      self.trace(from.model(), values, options, ear);
      from.options().refuse_unread();
      options.refuse_unread();
    });
  };
  static constexpr rh_trace extension{sizeof(rh_trace), 0, +image};
  return &extension;
}

}  // namespace roundhouse
