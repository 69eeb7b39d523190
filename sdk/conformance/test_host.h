// SPDX-License-Identifier: Apache-2.0
// The host that a plugin meets while it is checked: it remembers what is logged and can pretend to be newer.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "roundhouse/ext/log.h"
#include "roundhouse/ext/threads.h"
#include "roundhouse/host.h"

namespace conformance {

// A record as a host makes it. A newer host's record goes on after the fields known today, and what follows
// is meant to hurt whoever reads it.
template <class Record>
class HostRecord {
 public:
  HostRecord(Record value, bool newer) : bytes_(std::make_unique<Bytes>()) {
    std::memset(bytes_->tail, 0xA5, sizeof bytes_->tail);
    bytes_->value = value;
    bytes_->value.struct_size = static_cast<std::uint32_t>(newer ? sizeof(Bytes) : sizeof(Record));
  }
  Record* get() { return &bytes_->value; }
  Record* operator->() { return &bytes_->value; }

 private:
  struct Bytes {
    Record value;
    unsigned char tail[64];
  };
  std::unique_ptr<Bytes> bytes_;
};

class TestHost {
 public:
  explicit TestHost(bool newer);
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  const rh_host* record() { return record_.get(); }
  static constexpr std::uint32_t thread_budget = 2;

  // Whether any line of the log holds the text.
  bool logged(const std::string& text) const;

 private:
  static const void* get_extension(const rh_host* host, const char* id);
  static void write(const rh_host* host, std::uint32_t level, const char* category, const char* message);
  static std::uint32_t budget(const rh_host* host);

  HostRecord<rh_host> record_;
  HostRecord<rh_host_log> log_;
  HostRecord<rh_host_threads> threads_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace conformance
