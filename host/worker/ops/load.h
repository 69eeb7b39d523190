// SPDX-License-Identifier: Apache-2.0
// Opening a model.
#pragma once

#include "host/task/engine_report.h"
#include "host/task/events.h"
#include "host/task/model_source.h"
#include "host/worker/engine_call.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

// The host's end: `result` receives the answer; both are borrowed.
Call load_call(const ModelSource& source, const CallEvents& events, OpenResult& result);

// The worker's.
Message work_load(LoadedEngine& engine, const Message& request, CallContext& call);

// A source in C's form, with a sink that stops with the call. Borrows what it was made of.
class SourceRecord {
 public:
  SourceRecord(const ModelSource& source, CallContext& call, std::function<void(double)> progress = {});
  SourceRecord(const SourceRecord&) = delete;
  SourceRecord& operator=(const SourceRecord&) = delete;
  const rh_model_source& get() const { return record_; }

 private:
  OptionRecords options_;
  CallContext& call_;
  std::function<void(double)> progress_;
  rh_load_sink sink_{};
  rh_model_source record_{};
};

std::string encode(const ModelSource& source);
std::string encode(const OpenResult& result);
template <>
ModelSource decode(const std::string& json);
template <>
OpenResult decode(const std::string& json);

}  // namespace roundhouse::host
