// SPDX-License-Identifier: Apache-2.0
// Keeps the first failure of a row of stages: all later ones follow from it.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace engines::test {

class FirstDeviation {
 public:
  void expect(const testing::AssertionResult& result) {
    ++seen_;
    if (!result && message_.empty()) message_ = result.message();
  }
  std::size_t seen() const { return seen_; }
  testing::AssertionResult result() const {
    if (seen_ == 0) return testing::AssertionFailure() << "no stage was compared";
    if (message_.empty()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "first deviation: " << message_;
  }

 private:
  std::string message_;
  std::size_t seen_ = 0;
};

}  // namespace engines::test
