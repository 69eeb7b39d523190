// SPDX-License-Identifier: Apache-2.0
#include "host/cli/convert_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "host/cli/store_report.h"
#include "host/cli/text.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

double relative(double squares_of_errors, double squares) {
  return squares > 0 ? std::sqrt(squares_of_errors / squares) : 0;
}

struct NameRule {
  const char* part;
  const char* name;
};
// By words in the names that transformers, diffusers, ComfyUI and llama.cpp use, the most specific first.
constexpr NameRule kNames[] = {{"norm.linear", "modulation"},
                               {"norm1.linear", "modulation"},
                               {"norm1_context.linear", "modulation"},
                               {"norm_out.linear", "modulation"},
                               {"norm", "norms"},
                               {"adaLN", "modulation"},
                               {"attn", "attention"},
                               {"attention", "attention"},
                               {"ffn", "feed-forward"},
                               {"feed_forward", "feed-forward"},
                               {"ff.net", "feed-forward"},
                               {"ff_context.net", "feed-forward"},
                               {"mlp.", "feed-forward"},
                               {"embd", "embedding"},
                               {"embed", "embedding"}};

std::string class_name(const ConvertedTensor& tensor) {
  for (const NameRule& rule : kNames) {
    if (tensor.name.find(rule.part) != std::string::npos) return rule.name;
  }
  return "other";
}

std::string component_of(const std::string& file) {
  const std::size_t slash = file.find('/');
  return slash == std::string::npos ? "model" : file.substr(0, slash);
}

std::string error_text(double error) {
  if (error == 0) return "exact";
  char text[32];
  std::snprintf(text, sizeof text, "%.2g %%", error * 100);
  return text;
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(columns(text) < width ? width - columns(text) : 0, ' ');
}

OrderedJson class_json(const TensorClass& one) {
  OrderedJson row;
  row["component"] = one.component;
  row["class"] = one.name;
  row["type"] = one.type;
  row["tensors"] = one.tensors;
  row["bytes"] = one.bytes;
  row["relative_error"] = one.relative_error();
  row["worst"] = {{"tensor", one.worst}, {"relative_error", one.worst_error}};
  return row;
}

OrderedJson tensor_json(const ConvertedTensor& tensor) {
  OrderedJson row;
  row["file"] = tensor.file;
  row["name"] = tensor.name;
  row["shape"] = tensor.shape;
  row["from"] = tensor.from;
  row["to"] = tensor.to;
  row["bytes"] = tensor.size_bytes;
  row["relative_error"] = relative(tensor.squares_of_errors, tensor.squares);
  return row;
}

}  // namespace

double TensorClass::relative_error() const {
  return relative(squares_of_errors, squares);
}

std::vector<TensorClass> classes_of(const std::vector<ConvertedTensor>& tensors) {
  std::map<std::tuple<std::string, std::string, std::string>, TensorClass> classes;
  for (const ConvertedTensor& tensor : tensors) {
    const std::string component = component_of(tensor.file), name = class_name(tensor);
    TensorClass& one = classes[{component, name, tensor.to}];
    one.component = component;
    one.name = name;
    one.type = tensor.to;
    ++one.tensors;
    one.bytes += tensor.size_bytes;
    one.squares += tensor.squares;
    one.squares_of_errors += tensor.squares_of_errors;
    const double error = relative(tensor.squares_of_errors, tensor.squares);
    if (!one.worst.empty() && error <= one.worst_error) continue;
    one.worst = tensor.name;
    one.worst_error = error;
  }
  std::vector<TensorClass> rows;
  for (auto& [key, one] : classes)
    rows.push_back(std::move(one));
  return rows;
}

ConvertEngines convert_engines(const Program& program, Log& log) {
  ConvertEngines engines{program.registry(), {}};
  engines.client.log = [&log](std::uint32_t level, const std::string& category, const std::string& message) {
    log.write(level, category, message);
  };
  return engines;
}

OrderedJson convert_json(const ConvertReport& report, const Store& store) {
  OrderedJson json = report.stored ? import_json(*report.stored, store) : OrderedJson::object();
  if (!report.stored) {
    json["directory"] = report.directory;
    json["bytes"] = report.bytes;
  }
  json["source"] = report.source;
  json["source_bytes"] = report.source_bytes;
  json["type"] = report.type;
  json["format"] = report.format.empty() ? OrderedJson(nullptr) : OrderedJson(report.format);
  json["engine"] = report.result.engine;
  json["engine_version"] = report.result.report.version;
  json["milliseconds"] = report.milliseconds;
  json["peak_memory_bytes"] = report.result.converted.peak_memory_bytes;
  json["notes"] = report.result.notes;
  json["classes"] = OrderedJson::array();
  for (const TensorClass& one : classes_of(report.result.converted.tensors))
    json["classes"].push_back(class_json(one));
  json["tensors"] = OrderedJson::array();
  for (const ConvertedTensor& tensor : report.result.converted.tensors)
    json["tensors"].push_back(tensor_json(tensor));
  return json;
}

std::string convert_text(const ConvertReport& report) {
  std::string text = report.stored ? report.stored->model.name + "  " + report.stored->model.digest.brief()
                                   : report.directory;
  text += "  " + human_bytes(report.bytes) + " (" + one_line(report.source) + ": " +
          human_bytes(report.source_bytes) + ")  by " + report.result.engine + " " +
          report.result.report.version + " in " + human_milliseconds(report.milliseconds) + "\n";
  const auto classes = classes_of(report.result.converted.tensors);
  std::size_t width = 0;
  for (const TensorClass& one : classes)
    width = std::max(width, columns(one.component + " " + one.name));
  for (const TensorClass& one : classes) {
    text += "  " + padded(one_line(one.component + " " + one.name), width) + "  " + padded(one.type, 5) +
            "  " + padded(fmt::format("{}{}", one.tensors, (one.tensors == 1 ? " tensor" : " tensors")), 12) +
            "  " + padded(human_bytes(one.bytes), 9) + "  " +
            (one.relative_error() == 0 ? "exact" : "relative error " + error_text(one.relative_error())) +
            (one.worst_error > one.relative_error()
                 ? ", at most " + error_text(one.worst_error) + " in " + one_line(one.worst)
                 : "") +
            "\n";
  }
  for (const std::string& note : report.result.notes)
    text += "note: " + one_line(note) + "\n";
  return text;
}

}  // namespace roundhouse::host
