// SPDX-License-Identifier: Apache-2.0
// The cases of the checker. Each runs in a process of its own and looks at a few rules of CONTRACT.md.
#pragma once

#include "sdk/conformance/subject.h"

namespace conformance {

// The file alone: exports (P1). Loads nothing.
void check_file(const Subject& subject, Report& report);

// Loading, factory, descriptors, manifest (P3 to P10).
void check_descriptors(const Subject& subject, Report& report);

// Begin and end, twice and side by side; what describe and get_extension say (P10, P12, P15, P16).
void check_lifecycle(const Subject& subject, Report& report);

// What must be refused, and how it is told (P13, P14, P17).
void check_refusals(const Subject& subject, Report& report);

// A host with a larger minor version and larger records (P11).
void check_newer_host(const Subject& subject, Report& report);

// Images at ragged sizes (P20, P21, P22, P24, P25, P32).
void check_images(const Subject& subject, Report& report);

// A host that asks to stop, by either way (P23).
void check_cancelling(const Subject& subject, Report& report);

// As many calls of a model at once as it says it takes, up to four (P22, P23, P40).
void check_concurrency(const Subject& subject, Report& report);

// A host that refuses the image (P26), and an option of a request that is not known (P14).
void check_request_refusals(const Subject& subject, Report& report);

// Estimates of the smallest image: their order, and what the memory is made of (P33, P41).
void check_estimates(const Subject& subject, Report& report);

// Conversions of the model directory: what is promised, written, told, refused and stopped (P14, P34 to P38).
void check_conversions(const Subject& subject, Report& report);

// What is wrong with the model directory, with an empty one, and an inspection that is stopped (P14, P42).
void check_inspections(const Subject& subject, Report& report);

// Rates: their types, and values of short measurements (P43).
void check_rates(const Subject& subject, Report& report);

// Texts: what is sent, in which order, twice, beside others, and stopped (P14, P32, P45 to P52).
void check_texts(const Subject& subject, Report& report);

// Embeddings together and alone (P14, P32, P50, P53 to P55).
void check_embeddings(const Subject& subject, Report& report);

// The manifest against the descriptors (P9).
void check_manifest(const Subject& subject, Life& life);

}  // namespace conformance
