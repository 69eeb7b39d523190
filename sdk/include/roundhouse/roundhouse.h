/* SPDX-License-Identifier: Apache-2.0
 * The whole C ABI of Roundhouse, drafts excepted. Start reading at entry.h. */
#ifndef ROUNDHOUSE_ROUNDHOUSE_H
#define ROUNDHOUSE_ROUNDHOUSE_H

#include "roundhouse/base.h"
#include "roundhouse/engine.h"
#include "roundhouse/entry.h"
#include "roundhouse/ext/concurrency.h"
#include "roundhouse/ext/convert.h"
#include "roundhouse/ext/embedding.h"
#include "roundhouse/ext/estimate.h"
#include "roundhouse/ext/image.h"
#include "roundhouse/ext/inspect.h"
#include "roundhouse/ext/log.h"
#include "roundhouse/ext/text.h"
#include "roundhouse/ext/threads.h"
#include "roundhouse/host.h"
#include "roundhouse/status.h"

#endif
