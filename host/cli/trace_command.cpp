// SPDX-License-Identifier: Apache-2.0
// `roundhouse dump`, `parity` and `smoke`: a run looked into, stage by stage.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/table.h"
#include "host/cli/tensor_figures.h"
#include "host/cli/tensor_file.h"
#include "host/cli/text.h"
#include "host/cli/trace_run.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

// What float32 code shows beside float32 code, relative to a tensor's largest magnitude.
constexpr double kTolerance = 1e-4;
constexpr const char* kToleranceKey = "tolerance";
constexpr const char* kEveryTensor = "*";

double tolerance_of(const std::string& text) {
  const double value = parse_number("--tolerance", text, "0 to 1");
  if (value >= 0 && value <= 1) return value;
  throw Error(RH_INVALID_ARGUMENT, "--tolerance: '" + text + "' is out of range, expected 0 to 1");
}

OrderedJson figures_json(const TraceTensor& tensor) {
  const TensorFigures figures = figures_of(tensor);
  OrderedJson row;
  row["name"] = tensor.name;
  row["type"] = tensor.type == TraceTensor::Type::f32 ? "f32" : "i32";
  row["shape"] = tensor.shape;
  row["mean"] = figures.mean;
  row["std"] = figures.std;
  row["peak"] = figures.peak;
  row["first"] = figures.first;
  return row;
}

std::vector<std::string> figures_cells(const TraceTensor& tensor) {
  const TensorFigures figures = figures_of(tensor);
  return {tensor.name, shape_text(tensor), number_text(figures.mean), number_text(figures.std),
          joined(figures.first, " ", number_text)};
}

// ---- dump ----

class DumpCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("dump", "Make one image and show what every stage of it computed");
    declare_traced_flags(command, flags_);
    command.add("-o,--output", "FILE", "Write all tensors into FILE (safetensors), a fixture for parity",
                &output_);
    command.add(
        "--tolerance", "X",
        "What a run beside this fixture may differ by, relative to each tensor's peak [default: 1e-4]",
        &tolerance_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const double tolerance = tolerance_ ? tolerance_of(*tolerance_) : kTolerance;
    TraceRun run(program, flags_);
    std::optional<TensorFileWriter> file;
    if (output_) {
      TensorTexts texts = run.texts();
      texts[kToleranceKey] =
          OrderedJson{{kEveryTensor, tolerance}}.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
      file.emplace(*output_, std::move(texts));
    }
    Table table({"TENSOR", "SHAPE", "MEAN", "STD", "FIRST VALUES"});
    run.trace([&](const TraceTensor& tensor) {
      table.add(figures_cells(tensor));
      tensors_.push_back(figures_json(tensor));
      if (file) file->add(tensor);
    });
    if (file) file->finish();
    if (json()) {
      OrderedJson object = run.json();
      object["tensors"] = tensors_;
      object["file"] = output_ ? OrderedJson(*output_) : OrderedJson();
      print_json(object);
    } else {
      print(table.text() + run.summary() + (output_ ? "written to " + *output_ + "\n" : ""));
    }
    return 0;
  }

 private:
  TraceFlags flags_;
  std::optional<std::string> output_, tolerance_;
  OrderedJson tensors_ = OrderedJson::array();
};

// ---- parity ----

// What each tensor may differ by, from the fixture's own text.
class Tolerances {
 public:
  Tolerances(const TensorTexts& texts, const std::optional<std::string>& flag) {
    if (flag) {
      all_ = tolerance_of(*flag);
      return;
    }
    const auto text = texts.find(kToleranceKey);
    if (text == texts.end()) return;
    const OrderedJson json = OrderedJson::parse(text->second, nullptr, false);
    if (!json.is_object()) throw Error(RH_MODEL_INVALID, "fixture: tolerance: is not an object");
    for (const auto& [name, value] : json.items()) {
      if (!value.is_number() || !(value.get<double>() >= 0))
        throw Error(RH_MODEL_INVALID, "fixture: tolerance: '" + name + "' is not a number of 0 or more");
      (name == kEveryTensor ? all_ : one_[name]) = value.get<double>();
    }
  }
  double of(const std::string& name) const {
    const auto found = one_.find(name);
    return found == one_.end() ? all_ : found->second;
  }

 private:
  double all_ = kTolerance;
  std::map<std::string, double> one_;
};

// A file that somebody else made is none that could be fetched again.
TensorFileReader read_fixture(const std::filesystem::path& file) {
  try {
    return TensorFileReader(file);
  } catch (const Error& error) {
    if (error.code() != RH_MODEL_INVALID) throw;
    throw Error(error.code(), error.what(),
                "expected a safetensors file of F32 and I32, such as 'roundhouse dump' writes");
  }
}

class ParityCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("parity", "Make the image of a fixture again and compare every stage with it");
    command
        .add("fixture", "FIXTURE", "A file of dump, or one made of another implementation's tensors",
             &fixture_)
        .required = true;
    declare_traced_flags(command, flags_);
    command.add("--tolerance", "X", "Relative to each tensor's peak [default: the fixture's own, else 1e-4]",
                &tolerance_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const TensorFileReader fixture = read_fixture(fixture_);
    const Tolerances tolerances(fixture.texts(), tolerance_);
    fill_from_texts(flags_, fixture.texts());
    TraceRun run(program, flags_);
    run.trace([&](const TraceTensor& tensor) {
      if (const auto expected = fixture.read(tensor.name))
        compare(tensor, *expected, tolerances.of(tensor.name));
    });
    for (const std::string& name : fixture.names()) {
      if (!seen_.contains(name)) missing_.push_back(name);
    }
    object_ = run.json();
    if (!json()) print(table_.text() + run.summary());
    judge();
    if (json()) print_json(partial());
    return 0;
  }

  OrderedJson partial() const override {
    OrderedJson object = object_;
    object["fixture"] = fixture_;
    object["tensors"] = tensors_;
    object["missing"] = missing_;
    return object;
  }

 private:
  void compare(const TraceTensor& tensor, const TraceTensor& expected, double relative) {
    const TensorDifference difference = difference_of(tensor, expected, relative);
    seen_.insert(tensor.name);
    if (!difference.within() && first_.empty()) first_ = described(tensor, expected, difference);
    failed_ += difference.within() ? 0 : 1;
    OrderedJson row = figures_json(tensor);
    row["expected"] = figures_json(expected);
    row["largest_difference"] =
        std::isfinite(difference.largest) ? OrderedJson(difference.largest) : OrderedJson();
    row["bound"] = difference.bound;
    row["within"] = difference.within();
    tensors_.push_back(std::move(row));
    std::vector<std::string> cells = figures_cells(tensor);
    cells.back() = number_text(difference.largest);
    cells.push_back(number_text(difference.bound));
    cells.emplace_back(difference.within() ? "ok" : "DIFFERS");
    table_.add(cells);
  }

  static std::string described(const TraceTensor& tensor, const TraceTensor& expected,
                               const TensorDifference& difference) {
    if (!difference.same_shape)
      return fmt::format("{} is {}, the fixture's {}", tensor.name, shape_text(tensor), shape_text(expected));
    return fmt::format("{} differs most at value {}: {}, expected {}, difference {}, bound {}", tensor.name,
                       difference.place, number_text(values_of(tensor)[difference.place]),
                       number_text(values_of(expected)[difference.place]), number_text(difference.largest),
                       number_text(difference.bound));
  }

  // Throws unless all that the fixture has is within its tolerance.
  void judge() const {
    if (seen_.empty())
      throw Error(RH_MODEL_INVALID, "fixture '" + fixture_ + "': has no tensor that the engine shows",
                  "see 'roundhouse dump' for their names");
    if (failed_ == 0 && missing_.empty()) return;
    const std::string what =
        first_.empty() ? "the engine does not show " + joined(missing_)
                       : fmt::format("{} of {} tensors differ; the first: {}", failed_, seen_.size(), first_);
    throw Error(RH_PIPELINE_ERROR, what, "the first stage that differs is where to look");
  }

  TraceFlags flags_;
  std::string fixture_, first_;
  std::optional<std::string> tolerance_;
  Table table_{{"TENSOR", "SHAPE", "MEAN", "STD", "DIFFERENCE", "BOUND", ""}};
  OrderedJson object_ = OrderedJson::object(), tensors_ = OrderedJson::array();
  std::set<std::string> seen_;
  std::vector<std::string> missing_;
  std::size_t failed_ = 0;
};

// ---- smoke ----

class SmokeCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("smoke",
                      "Load a model, encode a prompt and make one tiny image, as a first sign of life");
    declare_traced_flags(command, flags_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    make_tiny(flags_, program.models());
    TraceRun run(program, flags_);
    std::uint64_t tokens = 0;
    OrderedJson object;
    Table table({"TENSOR", "SHAPE", "MEAN", "STD"});
    run.trace([&](const TraceTensor& tensor) {
      if (tensor.name == "tokens.ids") tokens = tensor.shape.front();
      if (tensor.name != "encode.layer0" && tensor.name != "encode.output" && tensor.name != "decode.image")
        return;
      object[tensor.name] = figures_json(tensor);
      std::vector<std::string> cells = figures_cells(tensor);
      cells.pop_back();
      table.add(cells);
    });
    if (json()) {
      OrderedJson result = run.json();
      result["tokens"] = tokens;
      result["tensors"] = object;
      print_json(result);
    } else {
      print(fmt::format("tokens {}\n", tokens) + table.text() + run.summary());
    }
    return 0;
  }

 private:
  TraceFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_dump_command() {
  return std::make_unique<DumpCommand>();
}

std::unique_ptr<Command> make_parity_command() {
  return std::make_unique<ParityCommand>();
}

std::unique_ptr<Command> make_smoke_command() {
  return std::make_unique<SmokeCommand>();
}

}  // namespace roundhouse::host
