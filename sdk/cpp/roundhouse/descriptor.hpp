// SPDX-License-Identifier: Apache-2.0
// What an engine says of itself before it is started.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "roundhouse/engine.h"
#include "roundhouse/facts.hpp"

namespace roundhouse {

// An inclusive bound on width, height, steps, guidance or prompt-bytes; multiple_of 0 = any.
struct Limit {
  std::string name{};
  double minimum = 0;
  double maximum = 0;
  double multiple_of = 0;
};

// The C++ value of rh_engine_descriptor; equal to what the manifest says.
struct Descriptor {
  std::string id{};
  std::string name{};
  std::string vendor{};
  std::string version{};
  std::string description{};
  std::uint32_t maturity = RH_MATURITY_EXPERIMENTAL;
  std::int32_t score = 0;
  Facts capabilities{};  // {"task", "text-to-image"}, {"device", "cpu"}, ...
  std::vector<Limit> limits{};
};

// Owns a descriptor and its C form, which lives as long as the record.
class DescriptorRecord {
 public:
  explicit DescriptorRecord(Descriptor value) : value_(std::move(value)), capabilities_(value_.capabilities) {
    for (const Limit& limit : value_.limits) {
      limits_.push_back(
          {sizeof(rh_limit), 0, limit.name.c_str(), limit.minimum, limit.maximum, limit.multiple_of});
    }
    limit_list_ = {sizeof(rh_limits), static_cast<std::uint32_t>(limits_.size()), limits_.data()};
    record_ = {sizeof(rh_engine_descriptor),
               value_.maturity,
               value_.id.c_str(),
               value_.name.c_str(),
               value_.vendor.c_str(),
               value_.version.c_str(),
               value_.description.c_str(),
               capabilities_.list(),
               &limit_list_,
               value_.score,
               0};
  }
  DescriptorRecord(const DescriptorRecord&) = delete;
  DescriptorRecord& operator=(const DescriptorRecord&) = delete;

  const Descriptor& value() const { return value_; }
  const rh_engine_descriptor* record() const { return &record_; }

 private:
  Descriptor value_;
  FactTable capabilities_;
  std::vector<rh_limit> limits_;
  rh_limits limit_list_{};
  rh_engine_descriptor record_{};
};

}  // namespace roundhouse
