// SPDX-License-Identifier: Apache-2.0
// The store among other OCI tools (skopeo), and models as archives, also from strangers.
#include <sys/stat.h>

#include <fstream>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Oci : public Program {
 protected:
  Oci() {
    fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", work() / "tiny", fs::copy_options::recursive);
  }
  // A script of which every command has to succeed.
  Outcome succeed(const std::string& script) const {
    const Outcome outcome = shell("set -e\n" + script);
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return outcome;
  }
};

TEST_F(Oci, skopeo_reads_the_store) {
  const std::string digest =
      run_json({"import", "tiny", "--name", "tiny:f32@1.0", "--home", "store"}).at("digest");
  const std::string raw = succeed("skopeo inspect --raw oci:store:tiny:f32@1.0").out;
  EXPECT_EQ(raw, content(work() / "store/blobs/sha256" / digest.substr(7)));
  const nlohmann::json manifest = nlohmann::json::parse(raw);
  EXPECT_EQ(manifest.at("artifactType"), "application/vnd.roundhouse.model.v1");
  EXPECT_FALSE(manifest.at("layers").empty());
}

TEST_F(Oci, skopeo_copies_models_out_of_the_store_and_into_it) {
  const std::string digest = run_json({"import", "tiny", "--home", "store"}).at("digest");
  succeed("skopeo copy -q oci:store:tiny oci:theirs:copy");
  EXPECT_EQ(run_json({"verify", "copy", "--home", "theirs"}).at("models")[0].at("digest"), digest);
  succeed("skopeo copy -q oci:theirs:copy oci:store:back");
  EXPECT_EQ(run_json({"show", "back", "--home", "store"}).at("digest"), digest);
  EXPECT_EQ(run({"generate", "a cat", "--model", "back", "--home", "store", "--engine", "reference",
                 "--steps", "1", "--width", "32", "--height", "32"})
                .status,
            0);
}

TEST_F(Oci, archives_go_both_ways) {
  const std::string digest = run_json({"import", "tiny", "--home", "store"}).at("digest");
  run_json({"pack", "tiny", "out.tar", "--home", "store"});
  run_json({"pack", "tiny", "again.tar", "--home", "store"});
  EXPECT_EQ(content(work() / "out.tar"), content(work() / "again.tar"));
  EXPECT_EQ(run({"pack", "tiny", "out.tar", "--home", "store"}).status, 7) << "nothing is overwritten";
  succeed("skopeo copy -q oci-archive:out.tar oci-archive:theirs.tar:tiny");
  for (const char* archive : {"out.tar", "theirs.tar"}) {
    fs::remove_all(work() / "other");
    const nlohmann::json imported = run_json({"import", archive, "--home", "other"});
    EXPECT_EQ(imported.at("name"), "tiny");
    EXPECT_EQ(imported.at("digest"), digest) << archive;
    EXPECT_EQ(run({"verify", "--home", "other"}).status, 0);
  }
  EXPECT_EQ(run_json({"import", "out.tar", "--name", "more", "--home", "store"}).at("bytes_added"), 0);
}

TEST_F(Oci, images_of_other_things_are_shown_as_such_and_stay) {
  run_json({"import", "tiny", "--home", "store"});
  succeed(
      "mkdir -p image/blobs/sha256 && cd image && printf '{}' > c && "
      "C=$(sha256sum c | cut -d' ' -f1) && mv c blobs/sha256/$C && "
      "printf '{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":"
      "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":2},"
      "\"layers\":[]}' $C > m && M=$(sha256sum m | cut -d' ' -f1) && S=$(stat -c %s m) && mv m "
      "blobs/sha256/$M && "
      "printf '{\"imageLayoutVersion\":\"1.0.0\"}' > oci-layout && "
      "printf "
      "'{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
      "\"digest\":\"sha256:%s\",\"size\":%s,\"annotations\":{\"org.opencontainers.image.ref.name\":\"img\"}}]"
      "}' "
      "$M $S > index.json && cd .. && skopeo copy -q oci:image:img oci:store:img");
  const nlohmann::json models = run_json({"models", "--home", "store"}).at("models");
  bool found = false;
  for (const auto& model : models) {
    if (model.at("name") != "img") continue;
    found = true;
    EXPECT_THAT(model.at("problem").dump(), HasSubstr("not a model"));
  }
  EXPECT_TRUE(found);
  run_json({"gc", "--home", "store"});
  succeed("skopeo inspect --raw oci:store:img && skopeo inspect --raw oci:store:tiny");
}

struct Archive {
  std::string name, script, code;
};

void PrintTo(const Archive& archive, std::ostream* stream) {
  *stream << archive.name;
}

class Hostile : public Oci, public testing::WithParamInterface<Archive> {};

TEST_P(Hostile, archive_is_refused_and_leaves_nothing) {
  run_json({"import", "tiny", "--home", "store"});
  run_json({"pack", "tiny", "out.tar", "--home", "store"});
  std::ofstream(work() / "secret") << "secret";
  succeed("mkdir x && tar -C x -xf out.tar\n" + GetParam().script);
  const Outcome outcome = run({"import", "bad.tar", "--home", "clean", "--json"});
  EXPECT_EQ(outcome.json().at("error").at("code"), GetParam().code) << outcome.out;
  EXPECT_TRUE(run_json({"verify", "--home", "clean"}).at("models").empty());
  run_json({"gc", "--home", "clean"});
  EXPECT_THAT(listing(work() / "clean/blobs/sha256"), testing::IsEmpty());
  EXPECT_THAT(listing(work() / "clean/tmp"), testing::IsEmpty());
  EXPECT_EQ(content(work() / "secret"), "secret");
}

// Writes x/ as it is, and the manifest that `edit` (a sed script) makes of its manifest, under its right
// digest.
std::string with_manifest(const std::string& edit) {
  return "cd x; M=$(sed -n 's/.*\"digest\": *\"sha256:\\([0-9a-f]*\\)\".*/\\1/p' index.json); "
         "sed '" +
         edit +
         "' blobs/sha256/$M > m; N=$(sha256sum m | cut -d' ' -f1); S=$(stat -c %s m); rm -f blobs/sha256/$M; "
         "mv m blobs/sha256/$N; "
         "printf "
         "'{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
         "\"digest\":\"sha256:%s\",\"size\":%s,\"annotations\":{\"org.opencontainers.image.ref.name\":"
         "\"evil\"}}]}' "
         "$N $S > index.json; tar -cf ../bad.tar *";
}

INSTANTIATE_TEST_SUITE_P(
    archive, Hostile,
    testing::Values(
        Archive{"cut_short", "head -c 20000 out.tar > bad.tar", "MODEL_INVALID"},
        Archive{"empty", ": > bad.tar", "MODEL_INVALID"},
        Archive{"no_archive", "printf 'hello there, this is no archive' > bad.tar", "MODEL_INVALID"},
        Archive{"no_index", "rm x/index.json; tar -C x -cf bad.tar .", "MODEL_INVALID"},
        Archive{"name_leads_out",
                "cp secret x/; tar -C x -cf bad.tar -P --transform 's,^secret,../../secret,' secret .",
                "UNSAFE_NAME"},
        Archive{"absolute_name", "tar -C x -cf bad.tar -P \"$PWD/secret\" .", "UNSAFE_NAME"},
        Archive{"blob_is_a_link",
                "cd x; B=$(ls blobs/sha256 | head -n 1); ln -sf /etc/passwd blobs/sha256/$B; tar -cf "
                "../bad.tar *",
                "UNSAFE_NAME"},
        Archive{"blob_is_a_fifo",
                "cd x; B=$(ls blobs/sha256 | head -n 1); rm -f blobs/sha256/$B; mkfifo blobs/sha256/$B; "
                "tar -cf ../bad.tar *",
                "UNSAFE_NAME"},
        Archive{
            "blob_of_another_digest",
            "cd x; B=$(ls blobs/sha256 | head -n 1); chmod u+w blobs/sha256/$B; printf x >> blobs/sha256/$B; "
            "tar -cf ../bad.tar *",
            "INTEGRITY_MISMATCH"},
        Archive{"blob_missing",
                "cd x; B=$(ls -S blobs/sha256 | head -n 1); rm -f blobs/sha256/$B; tar -cf ../bad.tar *",
                "WEIGHTS_MISSING"},
        Archive{"two_models",
                "cd x; sed -i 's/\"manifests\": \\[/&{\"mediaType\":\"a\",\"size\":1,\"digest\":\"sha256:"
                "0000000000000000000000000000000000000000000000000000000000000000\"},/' index.json; "
                "tar -cf ../bad.tar *",
                "MODEL_INVALID"},
        Archive{"title_leads_out", with_manifest("s,vae/config.json,../../etc/passwd,"), "UNSAFE_NAME"},
        Archive{"title_is_absolute", with_manifest("s,vae/config.json,/etc/passwd,"), "UNSAFE_NAME"},
        Archive{"title_twice", with_manifest("s,vae/config.json,transformer/config.json,"), "UNSAFE_NAME"},
        Archive{"size_2_63", with_manifest("s/\"size\":[0-9]*/\"size\":9223372036854775808/"),
                "MODEL_INVALID"},
        Archive{"size_negative", with_manifest("s/\"size\":[0-9]*/\"size\":-1/"), "MODEL_INVALID"},
        Archive{"size_of_another", with_manifest("s/\"size\":[0-9]*/\"size\":1/"), "MODEL_INVALID"},
        Archive{"digest_no_hex", with_manifest("s/sha256:..../sha256:zzzz/"), "MODEL_INVALID"},
        Archive{"component_missing", with_manifest("s,vae/config.json,vae/other.json,"), "WEIGHTS_MISSING"}),
    [](const auto& archive) { return archive.param.name; });

}  // namespace
}  // namespace roundhouse::test
