// SPDX-License-Identifier: Apache-2.0
#include "host/loading/embedding_watch.h"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <utility>

#include "host/loading/plugin_error.h"

namespace roundhouse::host {
namespace {

constexpr std::uint32_t kWidest = 65536;

EmbeddingWatch& embedding_watch(void* context) {
  return *static_cast<EmbeddingWatch*>(context);
}

}  // namespace

EmbeddingWatch::EmbeddingWatch(std::string engine, const rh_embedding_request& request,
                               const rh_embedding_sink& sink)
    : SinkWatch(std::move(engine)),
      request_(request),
      caller_(sink),
      own_{sizeof(rh_embedding_sink), 0, this, &on_cancelled, &on_vector} {
}

std::int32_t EmbeddingWatch::on_cancelled(void* context) {
  EmbeddingWatch& self = embedding_watch(context);
  return self.ask_cancelled(self.caller_.cancelled, self.caller_.context);
}

void EmbeddingWatch::check_vector(const rh_vector& vector) {
  if (vectors_ == request_.count)
    throw broken(engine(), rule::kVectors, fmt::format("more than {} vectors came", request_.count));
  if (vector.index != vectors_) {
    throw broken(engine(), rule::kVectors,
                 fmt::format("the vector of text {} came, expected that of {}", vector.index, vectors_));
  }
  if (vector.width == 0 || vector.width > kWidest || vector.values == nullptr) {
    throw broken(engine(), rule::kVectors,
                 fmt::format("a vector has {} values{}, expected 1 to {}", vector.width,
                             vector.values == nullptr ? " at NULL" : "", kWidest));
  }
  if (width_ == 0) width_ = request_.dimensions == 0 ? vector.width : request_.dimensions;
  if (vector.width != width_) {
    throw broken(engine(), rule::kVectors,
                 fmt::format("a vector has {} values, expected {}", vector.width, width_));
  }
  for (const float value : std::span(vector.values, vector.width)) {
    if (!std::isfinite(value)) {
      throw Error(RH_PIPELINE_ERROR,
                  fmt::format("engine '{}': the vector of text {} has values that are not finite", engine(),
                              vector.index));
    }
  }
}

void EmbeddingWatch::take_vector(const rh_vector* vector) {
  check_thread("vector");
  check_record(engine(), rule::kRecords, "the vector", vector);
  const rh_vector known = known_part(*vector);
  check_vector(known);
  ++vectors_;
  rh_error refusal{sizeof(rh_error), RH_OK, ""};
  const rh_status status = caller_.vector(caller_.context, &known, &refusal);
  check_taken("the vector", status, refusal);
}

rh_status EmbeddingWatch::on_vector(void* context, const rh_vector* vector, rh_error* error) {
  EmbeddingWatch& self = embedding_watch(context);
  return self.answer(error, [&] { self.take_vector(vector); });
}

void EmbeddingWatch::check_complete() const {
  rethrow_misuse();
  if (vectors_ == request_.count) return;
  throw broken(engine(), rule::kVectors,
               fmt::format("embed returned success after {} of {} vectors", vectors_, request_.count));
}

}  // namespace roundhouse::host
