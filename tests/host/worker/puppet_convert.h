// SPDX-License-Identifier: Apache-2.0
// The puppet's rh.convert/1, which does what the name of the type says.
#pragma once

#include <roundhouse/ext/convert.h>

const rh_convert* puppet_convert();
