// SPDX-License-Identifier: Apache-2.0
// The plugin that is checked, and one life of it inside a case's process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "roundhouse/roundhouse.h"
#include "sdk/conformance/process_state.h"
#include "sdk/conformance/report.h"
#include "sdk/conformance/test_host.h"

namespace conformance {

// What is to be checked; made from the command line.
struct Subject {
  std::string library;
  std::string manifest;                            // empty = none
  std::string model_directory;                     // empty = none
  std::string architecture;                        // of the model directory
  std::map<std::string, std::string> environment;  // set before loading unless set already, as a host does
};

// An error record as the host hands it over, and the check of what came back.
class ErrorSlot {
 public:
  explicit ErrorSlot(bool newer = false) : record_({}, newer) {}
  rh_error* get() { return record_.get(); }
  std::string message();

  // P17: `status` is a failure of the catalogue, told with the same code and a sentence.
  void expect_told(Report& report, rh_status status, const std::string& call);

 private:
  HostRecord<rh_error> record_;
};

// From loading to deinit. The destructor ends the plugin and checks that the process is as it was.
class Life {
 public:
  // Loads, checks the entry (P2) and calls init. Throws Stop when the plugin cannot be used.
  Life(const Subject& subject, Report& report, bool newer_host = false);
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  Report& report() { return report_; }
  TestHost& host() { return host_; }
  bool newer() const { return newer_; }
  const rh_plugin_entry_v1& entry() const { return *entry_; }
  const rh_engine_factory& factory() const { return *factory_; }
  std::vector<const rh_engine_descriptor*> descriptors() const;

 private:
  Report& report_;
  bool newer_;
  TestHost host_;
  ProcessState before_;
  int threads_before_ = 0;
  const rh_plugin_entry_v1* entry_ = nullptr;
  const rh_engine_factory* factory_ = nullptr;
};

// Whether the descriptor's capabilities hold the pair; its first value of a group, or "".
bool has_capability(const rh_engine_descriptor& engine, const std::string& group, const std::string& value);
std::string first_capability(const rh_engine_descriptor& engine, const std::string& group);

// The named limit, when the descriptor has it.
std::optional<rh_limit> limit_of(const rh_engine_descriptor& engine, const std::string& name);

// An engine in use, ended by the destructor. Throws Stop when it cannot be made.
class EngineUse {
 public:
  EngineUse(Life& life, const rh_engine_descriptor& descriptor);
  ~EngineUse();
  EngineUse(const EngineUse&) = delete;
  EngineUse& operator=(const EngineUse&) = delete;
  rh_engine* get() const { return engine_; }

 private:
  Report& report_;
  rh_engine* engine_ = nullptr;
};

// An open model, ended by the destructor. Throws Stop when it cannot be opened.
class ModelUse {
 public:
  ModelUse(Life& life, const Subject& subject, const rh_engine_descriptor& descriptor, rh_engine* engine);
  ~ModelUse();
  ModelUse(const ModelUse&) = delete;
  ModelUse& operator=(const ModelUse&) = delete;
  rh_model* get() const { return model_; }

 private:
  Report& report_;
  rh_model* model_ = nullptr;
};

// Whether a model can be opened: the engine needs none, or one was named.
bool can_open(const Subject& subject, const rh_engine_descriptor& descriptor);

// Whether the descriptor promises the task with the subject's model, or without one where it needs none.
bool promises(const Subject& subject, const rh_engine_descriptor& descriptor, const std::string& task);

// The source of the subject's model for this engine.
rh_model_source source_of(const Subject& subject, const rh_engine_descriptor& descriptor);

// The configuration that every engine has to take; it borrows the text.
rh_engine_config config_of(const char* device);

}  // namespace conformance
