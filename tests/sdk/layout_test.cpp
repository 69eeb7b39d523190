// SPDX-License-Identifier: Apache-2.0
// Freezes the layout of every struct of the ABI on x86-64: what is written here was released.
#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <string>

#include "roundhouse/ext/draft/bench.h"
#include "roundhouse/ext/draft/rates.h"
#include "roundhouse/ext/draft/tokenize.h"
#include "roundhouse/ext/draft/trace.h"
#include "roundhouse/floor.hpp"
#include "roundhouse/roundhouse.h"

namespace {

struct Field {
  std::string record;
  std::string name;
  std::size_t offset, size;                // as compiled now
  std::size_t frozen_offset, frozen_size;  // as released
};

struct Record {
  std::string name;
  std::size_t size;         // as compiled now
  std::size_t floor;        // as readers accept it
  std::size_t frozen_size;  // as first released
};

#define RECORD(record, bytes) \
  { #record, sizeof(record), roundhouse::floor_size < record>, bytes }
#define FIELD(record, field, at, bytes) \
  { #record, #field, offsetof(record, field), sizeof(decltype(record::field)), at, bytes }

const Record records[] = {
    RECORD(rh_error, 1024),
    RECORD(rh_fact, 24),
    RECORD(rh_facts, 16),
    RECORD(rh_option, 40),
    RECORD(rh_options, 16),
    RECORD(rh_host, 40),
    RECORD(rh_plugin_entry_v1, 32),
    RECORD(rh_limit, 40),
    RECORD(rh_limits, 16),
    RECORD(rh_engine_descriptor, 72),
    RECORD(rh_engine_config, 24),
    RECORD(rh_load_sink, 32),
    RECORD(rh_model_source, 48),
    RECORD(rh_model, 40),
    RECORD(rh_engine, 48),
    RECORD(rh_engine_factory, 32),
    RECORD(rh_pixels, 40),
    RECORD(rh_progress, 24),
    RECORD(rh_stage_report, 32),
    RECORD(rh_image_sink, 56),
    RECORD(rh_lora, 24),
    RECORD(rh_image_request, 144),
    RECORD(rh_image, 16),
    RECORD(rh_host_log, 16),
    RECORD(rh_host_threads, 16),
    RECORD(rh_concurrency, 16),
    RECORD(rh_stage_estimate, 32),
    RECORD(rh_memory_part, 32),
    RECORD(rh_estimate_sink, 32),
    RECORD(rh_estimate, 16),
    RECORD(rh_problem, 24),
    RECORD(rh_inspect_sink, 32),
    RECORD(rh_inspect, 16),
    RECORD(rh_bench, 24),
    RECORD(rh_rates, 24),
    RECORD(rh_tokenize, 16),
    RECORD(rh_tensor, 64),
    RECORD(rh_trace_sink, 32),
    RECORD(rh_trace, 16),
    RECORD(rh_convert_request, 48),
    RECORD(rh_convert_progress, 40),
    RECORD(rh_convert_tensor, 80),
    RECORD(rh_convert_sink, 40),
    RECORD(rh_convert, 16),
};

// In order of declaration. Append only.
const Field fields[] = {
    FIELD(rh_error, struct_size, 0, 4),
    FIELD(rh_error, code, 4, 4),
    FIELD(rh_error, message, 8, 1016),
    FIELD(rh_fact, struct_size, 0, 4),
    FIELD(rh_fact, reserved, 4, 4),
    FIELD(rh_fact, key, 8, 8),
    FIELD(rh_fact, value, 16, 8),
    FIELD(rh_facts, struct_size, 0, 4),
    FIELD(rh_facts, count, 4, 4),
    FIELD(rh_facts, items, 8, 8),
    FIELD(rh_option, struct_size, 0, 4),
    FIELD(rh_option, type, 4, 4),
    FIELD(rh_option, name, 8, 8),
    FIELD(rh_option, string, 16, 8),
    FIELD(rh_option, integer, 24, 8),
    FIELD(rh_option, number, 32, 8),
    FIELD(rh_options, struct_size, 0, 4),
    FIELD(rh_options, count, 4, 4),
    FIELD(rh_options, items, 8, 8),
    FIELD(rh_host, struct_size, 0, 4),
    FIELD(rh_host, abi_version, 4, 4),
    FIELD(rh_host, data, 8, 8),
    FIELD(rh_host, name, 16, 8),
    FIELD(rh_host, version, 24, 8),
    FIELD(rh_host, get_extension, 32, 8),
    FIELD(rh_plugin_entry_v1, struct_size, 0, 4),
    FIELD(rh_plugin_entry_v1, abi_version, 4, 4),
    FIELD(rh_plugin_entry_v1, init, 8, 8),
    FIELD(rh_plugin_entry_v1, deinit, 16, 8),
    FIELD(rh_plugin_entry_v1, get_factory, 24, 8),
    FIELD(rh_limit, struct_size, 0, 4),
    FIELD(rh_limit, reserved, 4, 4),
    FIELD(rh_limit, name, 8, 8),
    FIELD(rh_limit, minimum, 16, 8),
    FIELD(rh_limit, maximum, 24, 8),
    FIELD(rh_limit, multiple_of, 32, 8),
    FIELD(rh_limits, struct_size, 0, 4),
    FIELD(rh_limits, count, 4, 4),
    FIELD(rh_limits, items, 8, 8),
    FIELD(rh_engine_descriptor, struct_size, 0, 4),
    FIELD(rh_engine_descriptor, maturity, 4, 4),
    FIELD(rh_engine_descriptor, id, 8, 8),
    FIELD(rh_engine_descriptor, name, 16, 8),
    FIELD(rh_engine_descriptor, vendor, 24, 8),
    FIELD(rh_engine_descriptor, version, 32, 8),
    FIELD(rh_engine_descriptor, description, 40, 8),
    FIELD(rh_engine_descriptor, capabilities, 48, 8),
    FIELD(rh_engine_descriptor, limits, 56, 8),
    FIELD(rh_engine_descriptor, score, 64, 4),
    FIELD(rh_engine_descriptor, reserved, 68, 4),
    FIELD(rh_engine_config, struct_size, 0, 4),
    FIELD(rh_engine_config, threads, 4, 4),
    FIELD(rh_engine_config, device, 8, 8),
    FIELD(rh_engine_config, options, 16, 8),
    FIELD(rh_load_sink, struct_size, 0, 4),
    FIELD(rh_load_sink, reserved, 4, 4),
    FIELD(rh_load_sink, context, 8, 8),
    FIELD(rh_load_sink, progress, 16, 8),
    FIELD(rh_load_sink, cancelled, 24, 8),
    FIELD(rh_model_source, struct_size, 0, 4),
    FIELD(rh_model_source, reserved, 4, 4),
    FIELD(rh_model_source, directory, 8, 8),
    FIELD(rh_model_source, architecture, 16, 8),
    FIELD(rh_model_source, memory_limit_bytes, 24, 8),
    FIELD(rh_model_source, options, 32, 8),
    FIELD(rh_model_source, sink, 40, 8),
    FIELD(rh_model, struct_size, 0, 4),
    FIELD(rh_model, reserved, 4, 4),
    FIELD(rh_model, data, 8, 8),
    FIELD(rh_model, close, 16, 8),
    FIELD(rh_model, describe, 24, 8),
    FIELD(rh_model, get_extension, 32, 8),
    FIELD(rh_engine, struct_size, 0, 4),
    FIELD(rh_engine, reserved, 4, 4),
    FIELD(rh_engine, data, 8, 8),
    FIELD(rh_engine, destroy, 16, 8),
    FIELD(rh_engine, describe, 24, 8),
    FIELD(rh_engine, open_model, 32, 8),
    FIELD(rh_engine, get_extension, 40, 8),
    FIELD(rh_engine_factory, struct_size, 0, 4),
    FIELD(rh_engine_factory, reserved, 4, 4),
    FIELD(rh_engine_factory, count, 8, 8),
    FIELD(rh_engine_factory, descriptor, 16, 8),
    FIELD(rh_engine_factory, create_engine, 24, 8),
    FIELD(rh_pixels, struct_size, 0, 4),
    FIELD(rh_pixels, format, 4, 4),
    FIELD(rh_pixels, width, 8, 4),
    FIELD(rh_pixels, height, 12, 4),
    FIELD(rh_pixels, row_bytes, 16, 8),
    FIELD(rh_pixels, size_bytes, 24, 8),
    FIELD(rh_pixels, data, 32, 8),
    FIELD(rh_progress, struct_size, 0, 4),
    FIELD(rh_progress, stage, 4, 4),
    FIELD(rh_progress, step, 8, 4),
    FIELD(rh_progress, steps, 12, 4),
    FIELD(rh_progress, elapsed_ns, 16, 8),
    FIELD(rh_stage_report, struct_size, 0, 4),
    FIELD(rh_stage_report, stage, 4, 4),
    FIELD(rh_stage_report, elapsed_ns, 8, 8),
    FIELD(rh_stage_report, operations, 16, 8),
    FIELD(rh_stage_report, activation_bytes, 24, 8),
    FIELD(rh_stage_report, preview_ns, 32, 8),
    FIELD(rh_stage_report, prompt_tokens, 40, 4),
    FIELD(rh_stage_report, used_prompt_tokens, 44, 4),
    FIELD(rh_image_sink, struct_size, 0, 4),
    FIELD(rh_image_sink, reserved, 4, 4),
    FIELD(rh_image_sink, context, 8, 8),
    FIELD(rh_image_sink, progress, 16, 8),
    FIELD(rh_image_sink, stage, 24, 8),
    FIELD(rh_image_sink, cancelled, 32, 8),
    FIELD(rh_image_sink, preview, 40, 8),
    FIELD(rh_image_sink, image, 48, 8),
    FIELD(rh_lora, struct_size, 0, 4),
    FIELD(rh_lora, reserved, 4, 4),
    FIELD(rh_lora, path, 8, 8),
    FIELD(rh_lora, strength, 16, 8),
    FIELD(rh_image_request, struct_size, 0, 4),
    FIELD(rh_image_request, width, 4, 4),
    FIELD(rh_image_request, height, 8, 4),
    FIELD(rh_image_request, steps, 12, 4),
    FIELD(rh_image_request, prompt, 16, 8),
    FIELD(rh_image_request, negative_prompt, 24, 8),
    FIELD(rh_image_request, guidance, 32, 8),
    FIELD(rh_image_request, cfg_normalization, 40, 8),
    FIELD(rh_image_request, cfg_truncation, 48, 8),
    FIELD(rh_image_request, seed, 56, 8),
    FIELD(rh_image_request, sampler, 64, 8),
    FIELD(rh_image_request, schedule, 72, 8),
    FIELD(rh_image_request, options, 80, 8),
    FIELD(rh_image_request, init_image, 88, 8),
    FIELD(rh_image_request, mask, 96, 8),
    FIELD(rh_image_request, control_image, 104, 8),
    FIELD(rh_image_request, loras, 112, 8),
    FIELD(rh_image_request, strength, 120, 8),
    FIELD(rh_image_request, control_scale, 128, 8),
    FIELD(rh_image_request, lora_count, 136, 4),
    FIELD(rh_image_request, reserved, 140, 4),
    FIELD(rh_image_request, preview_every, 144, 4),
    FIELD(rh_image_request, reserved_1_1, 148, 4),
    FIELD(rh_image, struct_size, 0, 4),
    FIELD(rh_image, reserved, 4, 4),
    FIELD(rh_image, generate, 8, 8),
    FIELD(rh_host_log, struct_size, 0, 4),
    FIELD(rh_host_log, reserved, 4, 4),
    FIELD(rh_host_log, write, 8, 8),
    FIELD(rh_host_threads, struct_size, 0, 4),
    FIELD(rh_host_threads, reserved, 4, 4),
    FIELD(rh_host_threads, budget, 8, 8),
    FIELD(rh_concurrency, struct_size, 0, 4),
    FIELD(rh_concurrency, reserved, 4, 4),
    FIELD(rh_concurrency, calls, 8, 8),
    FIELD(rh_stage_estimate, struct_size, 0, 4),
    FIELD(rh_stage_estimate, stage, 4, 4),
    FIELD(rh_stage_estimate, elapsed_ns, 8, 8),
    FIELD(rh_stage_estimate, operations, 16, 8),
    FIELD(rh_stage_estimate, peak_bytes, 24, 8),
    FIELD(rh_memory_part, struct_size, 0, 4),
    FIELD(rh_memory_part, stage, 4, 4),
    FIELD(rh_memory_part, device, 8, 8),
    FIELD(rh_memory_part, part, 16, 8),
    FIELD(rh_memory_part, bytes, 24, 8),
    FIELD(rh_estimate_sink, struct_size, 0, 4),
    FIELD(rh_estimate_sink, reserved, 4, 4),
    FIELD(rh_estimate_sink, context, 8, 8),
    FIELD(rh_estimate_sink, stage, 16, 8),
    FIELD(rh_estimate_sink, held, 24, 8),
    FIELD(rh_estimate_sink, memory, 32, 8),
    FIELD(rh_estimate, struct_size, 0, 4),
    FIELD(rh_estimate, reserved, 4, 4),
    FIELD(rh_estimate, image, 8, 8),
    FIELD(rh_problem, struct_size, 0, 4),
    FIELD(rh_problem, code, 4, 4),
    FIELD(rh_problem, file, 8, 8),
    FIELD(rh_problem, message, 16, 8),
    FIELD(rh_inspect_sink, struct_size, 0, 4),
    FIELD(rh_inspect_sink, reserved, 4, 4),
    FIELD(rh_inspect_sink, context, 8, 8),
    FIELD(rh_inspect_sink, problem, 16, 8),
    FIELD(rh_inspect_sink, cancelled, 24, 8),
    FIELD(rh_inspect, struct_size, 0, 4),
    FIELD(rh_inspect, reserved, 4, 4),
    FIELD(rh_inspect, model, 8, 8),
    FIELD(rh_bench, struct_size, 0, 4),
    FIELD(rh_bench, reserved, 4, 4),
    FIELD(rh_bench, product, 8, 8),
    FIELD(rh_bench, matrix_rate, 16, 8),
    FIELD(rh_rates, struct_size, 0, 4),
    FIELD(rh_rates, reserved, 4, 4),
    FIELD(rh_rates, weights, 8, 8),
    FIELD(rh_rates, measure, 16, 8),
    FIELD(rh_tokenize, struct_size, 0, 4),
    FIELD(rh_tokenize, reserved, 4, 4),
    FIELD(rh_tokenize, encode, 8, 8),
    FIELD(rh_tensor, struct_size, 0, 4),
    FIELD(rh_tensor, type, 4, 4),
    FIELD(rh_tensor, name, 8, 8),
    FIELD(rh_tensor, rank, 16, 4),
    FIELD(rh_tensor, reserved, 20, 4),
    FIELD(rh_tensor, shape, 24, 32),
    FIELD(rh_tensor, data, 56, 8),
    FIELD(rh_trace_sink, struct_size, 0, 4),
    FIELD(rh_trace_sink, reserved, 4, 4),
    FIELD(rh_trace_sink, context, 8, 8),
    FIELD(rh_trace_sink, tensor, 16, 8),
    FIELD(rh_trace_sink, cancelled, 24, 8),
    FIELD(rh_trace, struct_size, 0, 4),
    FIELD(rh_trace, reserved, 4, 4),
    FIELD(rh_trace, image, 8, 8),
    FIELD(rh_convert_request, struct_size, 0, 4),
    FIELD(rh_convert_request, reserved, 4, 4),
    FIELD(rh_convert_request, source, 8, 8),
    FIELD(rh_convert_request, target, 16, 8),
    FIELD(rh_convert_request, type, 24, 8),
    FIELD(rh_convert_request, format, 32, 8),
    FIELD(rh_convert_request, options, 40, 8),
    FIELD(rh_convert_progress, struct_size, 0, 4),
    FIELD(rh_convert_progress, reserved, 4, 4),
    FIELD(rh_convert_progress, file, 8, 8),
    FIELD(rh_convert_progress, tensor, 16, 8),
    FIELD(rh_convert_progress, done_bytes, 24, 8),
    FIELD(rh_convert_progress, total_bytes, 32, 8),
    FIELD(rh_convert_tensor, struct_size, 0, 4),
    FIELD(rh_convert_tensor, rank, 4, 4),
    FIELD(rh_convert_tensor, file, 8, 8),
    FIELD(rh_convert_tensor, name, 16, 8),
    FIELD(rh_convert_tensor, from, 24, 8),
    FIELD(rh_convert_tensor, to, 32, 8),
    FIELD(rh_convert_tensor, shape, 40, 8),
    FIELD(rh_convert_tensor, size_bytes, 48, 8),
    FIELD(rh_convert_tensor, elements, 56, 8),
    FIELD(rh_convert_tensor, squares, 64, 8),
    FIELD(rh_convert_tensor, squares_of_errors, 72, 8),
    FIELD(rh_convert_sink, struct_size, 0, 4),
    FIELD(rh_convert_sink, reserved, 4, 4),
    FIELD(rh_convert_sink, context, 8, 8),
    FIELD(rh_convert_sink, progress, 16, 8),
    FIELD(rh_convert_sink, tensor, 24, 8),
    FIELD(rh_convert_sink, cancelled, 32, 8),
    FIELD(rh_convert, struct_size, 0, 4),
    FIELD(rh_convert, reserved, 4, 4),
    FIELD(rh_convert, run, 8, 8),
};

TEST(Layout, no_field_has_moved_or_changed_its_size) {
  for (const Field& field : fields) {
    EXPECT_EQ(field.offset, field.frozen_offset) << field.record << "." << field.name;
    EXPECT_EQ(field.size, field.frozen_size) << field.record << "." << field.name;
  }
}

TEST(Layout, no_struct_has_shrunk_and_every_floor_is_the_first_released_size) {
  for (const Record& record : records) {
    EXPECT_GE(record.size, record.frozen_size) << record.name;
    EXPECT_EQ(record.floor, record.frozen_size) << record.name;
  }
}

// Fields that follow each other without a gap up to the end of the struct: neither padding nor a field that
// this table forgot.
TEST(Layout, the_table_covers_every_byte_of_every_struct) {
  std::map<std::string, std::size_t> end;
  for (const Field& field : fields) {
    EXPECT_EQ(field.offset, end[field.record]) << field.record << "." << field.name;
    end[field.record] = field.offset + field.size;
  }
  EXPECT_EQ(end.size(), std::size(records));
  for (const Record& record : records)
    EXPECT_EQ(end[record.name], record.size) << record.name;
}

TEST(Layout, every_struct_begins_with_its_size) {
  std::map<std::string, std::string> first;
  for (const Field& field : fields)
    first.try_emplace(field.record, field.name);
  for (const auto& [record, field] : first)
    EXPECT_EQ(field, "struct_size") << record;
}

}  // namespace
