// SPDX-License-Identifier: Apache-2.0
// rh.inspect/1 for engines in C++: a member function becomes the extension.
#pragma once

#include <string>

#include "roundhouse/ext/inspect.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse {

// The host's ear while a model directory is looked at.
class InspectSink {
 public:
  // Borrows both for the call.
  InspectSink(const rh_inspect_sink* sink, const Options& options)
      : sink_(checked(sink, "sink")), options_(options) {
    detail::required(sink_.problem, "sink.problem");
    detail::required(sink_.cancelled, "sink.cancelled");
  }

  // Whether to stop. Ask at least once per component. [any-thread]
  bool cancelled() const { return sink_.cancelled(sink_.context) != 0; }

  // `file` is a path in the model directory, or empty. Throws UNKNOWN_OPTION when an option was not read by
  // then.
  void problem(rh_status code, const std::string& file, const std::string& message) {
    options_.refuse_unread();
    const rh_problem record{sizeof record, code, file.empty() ? nullptr : file.c_str(), message.c_str()};
    sink_.problem(sink_.context, &record);
  }

 private:
  const rh_inspect_sink& sink_;
  const Options& options_;
};

// What `extension(RH_INSPECT_ID)` of the engine class E returns. E has
// `void inspect(const ModelSource& source, InspectSink& sink)`, which reads the source's options before it
// reports anything.
template <class E>
const rh_inspect* inspect_extension() {
  constexpr auto model = [](rh_engine* engine, const rh_model_source* source, const rh_inspect_sink* sink,
                            rh_error* error) -> rh_status {
    return detail::guard_for<E>(error, [&] {
      E& self = engine_of<E>(&detail::required(engine, "engine"));
      detail::SourceReader from(checked(source, "source"));
      InspectSink ear(sink, from.options());
      if (ear.cancelled()) throw Error(RH_CANCELLED, "cancelled");
      self.inspect(from.model(), ear);
      from.options().refuse_unread();
    });
  };
  static constexpr rh_inspect extension{sizeof(rh_inspect), 0, +model};
  return &extension;
}

}  // namespace roundhouse
