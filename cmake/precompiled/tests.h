// SPDX-License-Identifier: Apache-2.0
// What the tests' files share: the standard headers and GoogleTest.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "standard.h"
