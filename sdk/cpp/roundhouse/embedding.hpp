// SPDX-License-Identifier: Apache-2.0
// rh.embedding/1 for a plugin in C++: the request as a value and the sink that takes the vectors.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "roundhouse/error.hpp"
#include "roundhouse/ext/embedding.h"
#include "roundhouse/floor.hpp"
#include "roundhouse/options.hpp"
#include "roundhouse/text.hpp"

namespace roundhouse {

// Texts to embed; the fields mean what rh_embedding_request says. Views are the host's and end with the call.
struct EmbeddingRequest {
  std::vector<std::string_view> texts;  // at least one
  std::uint32_t dimensions = 0;         // 0 = all
  bool truncate = false;
  bool normalise = false;
};

namespace detail {

inline EmbeddingRequest read_embedding_request(const rh_embedding_request* record) {
  const rh_embedding_request& from = checked(record, "request");
  if (from.count == 0) throw Error(RH_INVALID_ARGUMENT, "request.count: 0, expected at least 1");
  if (from.texts == nullptr) throw Error(RH_INVALID_ARGUMENT, "request.texts: NULL, expected texts");
  EmbeddingRequest request;
  for (std::uint32_t i = 0; i < from.count; ++i)
    request.texts.push_back(read_text(from.texts[i], "request.texts[" + std::to_string(i) + "]"));
  request.dimensions = from.dimensions;
  request.truncate = from.truncate != 0;
  request.normalise = from.normalise != 0;
  return request;
}

}  // namespace detail

// The host's ear during one embed. Every function but `cancelled` belongs to the thread of embed.
class EmbeddingSink {
 public:
  // Borrows both for the call.
  EmbeddingSink(const rh_embedding_sink* sink, const Options& options)
      : sink_(checked(sink, "sink")), options_(options) {
    if (sink_.cancelled == nullptr || sink_.vector == nullptr)
      throw Error(RH_INVALID_ARGUMENT, "sink: a function is NULL");
  }

  // Whether to stop. Ask at least once a text. [any-thread]
  bool cancelled() const { return sink_.cancelled(sink_.context) != 0; }

  // Throws CANCELLED when the host asks to stop.
  void check_cancelled() const {
    if (cancelled()) throw Error(RH_CANCELLED, "cancelled");
  }

  // That of the next text, of which so many tokens were read. Throws what the host answers, PIPELINE_ERROR
  // for a value that is not finite.
  void vector(std::uint32_t tokens, std::span<const float> values) {
    options_.refuse_unread();
    for (const float value : values) {
      if (!std::isfinite(value))
        throw Error(RH_PIPELINE_ERROR,
                    "embed: a value of the vector of text " + std::to_string(sent_) + " is not finite");
    }
    const rh_vector record{sizeof record, sent_, static_cast<std::uint32_t>(values.size()), tokens,
                           values.data()};
    ++sent_;
    rh_error error{sizeof error, RH_OK, {}};
    const rh_status status = sink_.vector(sink_.context, &record, &error);
    if (status != RH_OK) throw Error(status, error.message);
  }

  std::uint32_t sent() const { return sent_; }

 private:
  const rh_embedding_sink& sink_;
  const Options& options_;
  std::uint32_t sent_ = 0;
};

// What a model does that speaks rh.embedding/1.
class EmbeddingTask {
 public:
  virtual ~EmbeddingTask() = default;

  // Calls sink.vector() for each text in order. Throws on failure. [model-thread]: as many at once as calls()
  // says.
  virtual void embed(const EmbeddingRequest& request, Options& options, EmbeddingSink& sink) = 0;
};

}  // namespace roundhouse
