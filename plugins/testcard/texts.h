/* SPDX-License-Identifier: Apache-2.0
 * Texts and embeddings of the test card, see texts.c. */
#ifndef TESTCARD_TEXTS_H
#define TESTCARD_TEXTS_H

#include "roundhouse/plugin.h"

extern const rh_text testcard_text;
extern const rh_embedding testcard_embedding;

#endif
