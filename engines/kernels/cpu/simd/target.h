// SPDX-License-Identifier: Apache-2.0
// Which of the compiled processor targets runs here.
#pragma once

#include <string>

namespace engines::cpu {

// Highway's name of it, such as "AVX3".
std::string simd_target_name();

// The same as people know it: "AVX-512" for what Highway calls AVX3.
std::string simd_name(const std::string& target);

}  // namespace engines::cpu
