// SPDX-License-Identifier: Apache-2.0
// Stands between a plugin and the caller's sink for one embed, as TextWatch does for a text (rules P53, P55).
#pragma once

#include <string>

#include "host/loading/sink_watch.h"
#include "roundhouse/ext/embedding.h"

namespace roundhouse::host {

class EmbeddingWatch : public SinkWatch {
 public:
  EmbeddingWatch(std::string engine, const rh_embedding_request& request, const rh_embedding_sink& sink);

  const rh_embedding_sink* sink() const { return &own_; }
  // After a success: throws unless there was a vector for every text.
  void check_complete() const;

 private:
  static std::int32_t on_cancelled(void* context);
  static rh_status on_vector(void* context, const rh_vector* vector, rh_error* error);

  void take_vector(const rh_vector* vector);
  void check_vector(const rh_vector& vector);

  const rh_embedding_request& request_;
  const rh_embedding_sink& caller_;
  rh_embedding_sink own_;
  std::uint32_t vectors_ = 0, width_ = 0;
};

}  // namespace roundhouse::host
