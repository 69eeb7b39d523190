// SPDX-License-Identifier: Apache-2.0
// rh.convert/1 for engines in C++: a member function becomes the extension.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "roundhouse/ext/convert.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse {

// Valid for the call.
struct ConvertRequest {
  std::string source;  // absolute path of a model directory; only read
  std::string target;  // absolute path of an empty directory; nothing is written outside of it
  std::string type;    // one of the descriptor's group "convert"
  std::string format;  // "safetensors" or "gguf"; empty: the type's own
};

// See rh_convert_tensor.
struct ConvertedTensor {
  std::string file{}, name{}, from{}, to{};
  std::span<const std::uint64_t> shape{};
  std::uint64_t size_bytes = 0, elements = 0;
  double squares = 0, squares_of_errors = 0;
};

// The host's ear during one conversion. Every function but `cancelled` belongs to the thread of the call, and
// throws UNKNOWN_OPTION when an option of the request was not read by then.
class ConvertSink {
 public:
  // Borrows both for the call.
  ConvertSink(const rh_convert_sink* sink, const Options& options)
      : sink_(checked(sink, "sink")), options_(options) {
    detail::required(sink_.progress, "sink.progress");
    detail::required(sink_.tensor, "sink.tensor");
    detail::required(sink_.cancelled, "sink.cancelled");
  }

  // Whether to stop. Ask at least once per 64 MiB that are read. [any-thread]
  bool cancelled() const { return sink_.cancelled(sink_.context) != 0; }

  // `done` of `total` bytes of the target are written; `tensor` is empty while a file is copied as it is.
  // Throws CANCELLED when the host asks to stop.
  void progress(const std::string& file, const std::string& tensor, std::uint64_t done, std::uint64_t total) {
    options_.refuse_unread();
    const rh_convert_progress record{
        sizeof record, 0, file.c_str(), tensor.empty() ? nullptr : tensor.c_str(), done, total};
    sink_.progress(sink_.context, &record);
    if (cancelled()) throw Error(RH_CANCELLED, "cancelled at file '" + file + "'");
  }

  void tensor(const ConvertedTensor& tensor) {
    options_.refuse_unread();
    const rh_convert_tensor record{sizeof record,           static_cast<std::uint32_t>(tensor.shape.size()),
                                   tensor.file.c_str(),     tensor.name.c_str(),
                                   tensor.from.c_str(),     tensor.to.c_str(),
                                   tensor.shape.data(),     tensor.size_bytes,
                                   tensor.elements,         tensor.squares,
                                   tensor.squares_of_errors};
    sink_.tensor(sink_.context, &record);
  }

 private:
  const rh_convert_sink& sink_;
  const Options& options_;
};

namespace detail {

// The request as values, checked against what the descriptor says that the engine writes.
inline ConvertRequest read_convert_request(const rh_convert_request* request, const Descriptor& descriptor) {
  const rh_convert_request& from = checked(request, "request");
  const ConvertRequest values{&required(from.source, "request.source"),
                              &required(from.target, "request.target"), &required(from.type, "request.type"),
                              std::string(view_of(from.format))};
  if (!contains(descriptor.capabilities, "convert", values.type)) {
    throw Error(RH_CAPABILITY_UNSUPPORTED, "type '" + values.type + "' is not one that the engine writes");
  }
  return values;
}

}  // namespace detail

// What `extension(RH_CONVERT_ID)` of the engine class E returns. E has
// `void convert(const ConvertRequest& request, Options& options, ConvertSink& sink)`, which reads its options
// before it begins.
template <class E>
const rh_convert* convert_extension() {
  constexpr auto run = [](rh_engine* engine, const rh_convert_request* request, const rh_convert_sink* sink,
                          rh_error* error) -> rh_status {
    return detail::guard_for<E>(error, [&] {
      E& self = engine_of<E>(&detail::required(engine, "engine"));
      const ConvertRequest values = detail::read_convert_request(request, E::descriptor());
      Options options(request->options, "the engine");
      ConvertSink ear(sink, options);
      self.convert(values, options, ear);
      options.refuse_unread();
    });
  };
  static constexpr rh_convert extension{sizeof(rh_convert), 0, +run};
  return &extension;
}

}  // namespace roundhouse
