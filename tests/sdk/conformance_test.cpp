// SPDX-License-Identifier: Apache-2.0
// The checker finds each defect of broken_plugin.c, cites the rule for it, and finds nothing else to fear in
// the plugin without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

namespace {

using nlohmann::json;

struct Outcome {
  int exit_status = -1;
  json report;
  std::set<std::string> rules() const {
    std::set<std::string> rules;
    for (const json& finding : report.at("findings"))
      rules.insert(finding.at("rule"));
    return rules;
  }
};

Outcome check(const std::string& plugin, const std::string& defect, const std::string& arguments = "") {
  const std::string command = "ROUNDHOUSE_DEFECT='" + defect + "' '" CONFORMANCE "' --json --timeout 1 " +
                              arguments + " '" + plugin + "'";
  FILE* pipe = popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, json::parse(output, nullptr, false)};
}

// A check with a manifest, and with a model directory that it may spoil.
Outcome full_check(const std::string& defect) {
  std::string directory = testing::TempDir() + "conformance-model-XXXXXX";
  EXPECT_NE(mkdtemp(directory.data()), nullptr);
  std::ofstream(directory + "/weights") << "four";
  const Outcome outcome =
      check(BROKEN_PLUGIN, defect, "--manifest '" BROKEN_MANIFEST "' --model '" + directory + "'");
  std::filesystem::remove_all(directory);
  return outcome;
}

struct Defect {
  const char* name;
  const char* rule;
};

void PrintTo(const Defect& defect, std::ostream* out) {
  *out << defect.name << " (" << defect.rule << ")";
}

constexpr Defect defects[] = {
    {"small-entry", "P2"},
    {"another-major", "P2"},
    {"null-init", "P2"},
    {"starts-a-thread-at-load", "P3"},
    {"changes-directory-at-load", "P3"},
    {"has-no-factory", "P5"},
    {"has-no-engines", "P5"},
    {"answers-every-factory", "P5"},
    {"describes-beyond", "P6"},
    {"bad-id", "P7"},
    {"lists-itself-twice", "P7"},
    {"empty-name", "P7"},
    {"unknown-maturity", "P7"},
    {"names-no-task", "P8"},
    {"limits-upside-down", "P8"},
    {"another-version", "P9"},
    {"another-score", "P9"},
    {"describes-null", "P10"},
    {"small-engine", "P10"},
    {"null-close", "P10"},
    {"null-generate", "P10"},
    {"small-pixels", "P10"},
    {"refuses-newer-hosts", "P11"},
    {"refuses-newer-requests", "P11"},
    {"init-fails", "P12"},
    {"lives-once", "P12"},
    {"takes-every-id", "P13"},
    {"takes-every-device", "P13"},
    {"drops-engine-options", "P14"},
    {"drops-model-options", "P14"},
    {"drops-options", "P14"},
    {"describes-nothing", "P15"},
    {"has-no-images", "P16"},
    {"answers-every-extension", "P16"},
    {"gives-no-message", "P17"},
    {"gives-bytes-for-words", "P17"},
    {"gives-two-codes", "P17"},
    {"invents-a-code", "P17"},
    {"crashes-at-load", "P18"},
    {"crashes", "P18"},
    {"aborts", "P18"},
    {"exits", "P18"},
    {"kills-its-group", "P18"},
    {"hangs", "P18"},
    {"makes-no-image", "P20"},
    {"makes-two-images", "P20"},
    {"fails-at-ragged-sizes", "P20"},
    {"wrong-width", "P21"},
    {"rows-beyond-data", "P21"},
    {"unknown-format", "P21"},
    {"nan-image", "P21"},
    {"unsteady", "P22"},
    {"ignores-cancel", "P23"},
    {"never-asks-to-stop", "P23"},
    {"counts-steps-from-zero", "P24"},
    {"tells-one-step-less", "P24"},
    {"tells-no-end-of-stage", "P24"},
    {"calls-from-another-thread", "P25"},
    {"hides-the-sinks-error", "P26"},
    {"prints", "P28"},
    {"prints-errors", "P28"},
    {"changes-directory", "P29"},
    {"changes-locale", "P29"},
    {"changes-environment", "P29"},
    {"changes-signals", "P29"},
    {"changes-file-mask", "P29"},
    {"changes-rounding", "P29"},
    {"leaves-a-thread", "P30"},
    {"logs-the-prompt", "P32"},
    {"previews-unasked", "P39"},
    {"previews-too-much", "P39"},
    {"previews-nan", "P21"},
    {"takes-no-calls", "P40"},
    {"changes-its-calls", "P40"},
    {"mixes-neighbours", "P40"},
    {"estimates-backwards", "P33"},
    {"tells-nothing-held", "P33"},
    {"parts-do-not-add-up", "P41"},
    {"estimates-unlisted-devices", "P41"},
    {"estimates-untold-stages", "P41"},
    {"promises-conversions", "P34"},
    {"takes-every-type", "P34"},
    {"drops-convert-options", "P14"},
    {"writes-into-the-source", "P35"},
    {"writes-beside-the-target", "P35"},
    {"converts-unsteadily", "P36"},
    {"converts-without-asking", "P37"},
    {"tells-tensors-twice", "P38"},
    {"never-ends-its-progress", "P38"},
    {"drops-inspect-options", "P14"},
    {"inspects-without-asking", "P42"},
    {"finds-fault-with-what-it-opens", "P42"},
    {"finds-what-it-does-not-say", "P42"},
    {"rates-nan", "P43"},
    {"rates-nothing", "P43"},
    {"rates-everything", "P43"},
    {"rates-a-type-twice", "P43"},
    {"rates-an-unlisted-type", "P43"},
    {"makes-no-report", "P45"},
    {"sends-half-characters", "P46"},
    {"sends-other-channels", "P46"},
    {"reports-more-than-asked", "P47"},
    {"leaks-stops", "P48"},
    {"writes-unsteadily", "P49"},
    {"writes-on", "P50"},
    {"hides-the-pieces-error", "P50"},
    {"reads-half-the-prompt", "P51"},
    {"renders-something-else", "P52"},
    {"turns-vectors-round", "P53"},
    {"embeds-beside-others", "P54"},
    {"embeds-at-length-2", "P55"},
};

class Conformance : public testing::TestWithParam<Defect> {};

TEST_P(Conformance, finds_the_defect_and_cites_its_rule) {
  const Outcome run = full_check(GetParam().name);
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_THAT(run.rules(), testing::Contains(GetParam().rule)) << run.report.dump(2);
}

INSTANTIATE_TEST_SUITE_P(defect, Conformance, testing::ValuesIn(defects), [](const auto& defect) {
  std::string name = defect.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ConformanceChecker, finds_nothing_in_the_same_plugin_without_a_defect) {
  const Outcome run = full_check("");
  EXPECT_EQ(run.exit_status, 0) << run.report.dump(2);
  EXPECT_EQ(run.report.at("conforms"), true);
}

TEST(ConformanceChecker, finds_a_second_export_without_loading_the_plugin) {
  const Outcome run = check(MORE_EXPORTS_PLUGIN, "crashes-at-load");
  EXPECT_THAT(run.rules(), testing::Contains("P1"));
}

TEST(ConformanceChecker, names_the_signal_and_the_call_of_a_crash) {
  const Outcome run = check(BROKEN_PLUGIN, "is-killed");
  EXPECT_THAT(run.report.dump(), testing::HasSubstr("died of signal 9 (Killed) in generate"));
}

TEST(ConformanceChecker, takes_a_file_that_is_no_library_for_a_finding) {
  const Outcome run = check(BROKEN_MANIFEST, "");
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_THAT(run.rules(), testing::IsSupersetOf({"P1", "P4"}));
}

TEST(ConformanceChecker, refuses_arguments_that_lead_nowhere) {
  EXPECT_EQ(std::system("'" CONFORMANCE "' >/dev/null 2>&1") >> 8, 2);
  EXPECT_EQ(std::system("'" CONFORMANCE "' /nonexistent.so >/dev/null 2>&1") >> 8, 2);
}

// The rules whose last column names the checker, as CONTRACT.md says.
std::set<std::string> rules_for_the_checker() {
  std::ifstream file(CONTRACT);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::regex row(R"(\n\| (P\d+) \|[^\n]*\| ([^|\n]*) \|(?=\n))");
  std::set<std::string> rules;
  for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at) {
    if ((*at)[2].str().find("checker") != std::string::npos) rules.insert((*at)[1]);
  }
  return rules;
}

TEST(Contract, every_rule_that_the_checker_claims_has_a_defect_that_it_finds) {
  std::set<std::string> shown{"P1", "P4"};  // by the tests above
  for (const Defect& defect : defects)
    shown.insert(defect.rule);
  EXPECT_EQ(shown, rules_for_the_checker());
}

TEST(Contract, the_checker_looks_at_every_rule_that_it_claims) {
  const Outcome run = full_check("");
  EXPECT_EQ(run.report.at("checked").get<std::set<std::string>>(), rules_for_the_checker());
}

}  // namespace
