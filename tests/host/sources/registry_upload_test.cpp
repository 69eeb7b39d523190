// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_upload.h"

#include <gmock/gmock.h>

#include "tests/host/sources/fake_registry.h"
#include "tests/host/sources/tcp_proxy.h"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

using test::FakeRegistry;
using test::HttpServer;
using test::TcpProxy;
using testing::HasSubstr;

constexpr std::uint64_t kSize = 1'000'000, kChunk = 100'000;

class RegistryUpload : public testing::Test {
 protected:
  RegistryUpload() {
    for (std::uint64_t i = 0; content_.size() < kSize; ++i)
      content_ += std::to_string(i * i) + " ";
    content_.resize(kSize);
    file_ = directory_.write("blob", content_);
  }

  SentBlob send(const std::string& mount_from = "", std::uint64_t chunk = kChunk) {
    RegistryAccess access;
    access.http.allow_plain_http = true;
    const auto reference = RegistryReference::parse("oci://" + proxy_.address() + "/team/tiny");
    RegistryClient client(open_registry(reference, access), RegistryUse::push, {});
    const StorePaths paths{directory_.path() / "store"};
    UploadMemory memory(paths, reference, sha256(content_));
    farthest_ = 0;
    return send_blob(client, {sha256(content_), kSize, file_, mount_from}, memory,
                     {chunk,
                      [this](std::uint64_t done) {
                        farthest_ = std::max(farthest_, done);
                        if (fail_at_ > 0 && done >= fail_at_)
                          throw Error(RH_CANCELLED, "as the test wants it");
                      },
                      {}});
  }
  std::string outcome() {
    try {
      send();
      return "ok";
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
  }
  std::string stored() const { return registry_.blobs.at("team/tiny@" + sha256(content_).text()); }
  std::size_t count(const std::string& method) const {
    std::size_t found = 0;
    for (const auto& request : server_.requests())
      found += request.method == method ? 1 : 0;
    return found;
  }

  TemporaryDirectory directory_;
  std::string content_;
  std::filesystem::path file_;
  std::uint64_t fail_at_ = 0, farthest_ = 0;
  FakeRegistry registry_;
  HttpServer server_{[this](const test::ServerRequest& request) { return registry_(request); }};
  TcpProxy proxy_{server_.port()};
};

TEST_F(RegistryUpload, SendsALargeBlobInChunksAndASmallOneAtOnce) {
  const SentBlob large = send();
  EXPECT_EQ(large.how, Sent::uploaded);
  EXPECT_EQ(large.bytes, kSize);
  EXPECT_EQ(farthest_, kSize);
  EXPECT_EQ(stored(), content_);
  EXPECT_EQ(count("PATCH"), kSize / kChunk);
  registry_.blobs.clear();
  EXPECT_EQ(send("", kSize).bytes, kSize);
  EXPECT_EQ(stored(), content_);
  EXPECT_EQ(count("PATCH"), kSize / kChunk) << "none more";
}

TEST_F(RegistryUpload, SendsNothingThatIsThere) {
  send();
  proxy_.reset();
  const SentBlob again = send();
  EXPECT_EQ(again.how, Sent::there);
  EXPECT_EQ(again.bytes, 0u);
  EXPECT_LT(proxy_.passed(TcpProxy::Direction::up), 2000u);
}

TEST_F(RegistryUpload, MountsWhatAnotherRepositoryHas) {
  registry_.blobs["team/other@" + sha256(content_).text()] = content_;
  const SentBlob mounted = send("team/other");
  EXPECT_EQ(mounted.how, Sent::mounted);
  EXPECT_EQ(mounted.bytes, 0u);
  EXPECT_EQ(stored(), content_);
}

TEST_F(RegistryUpload, SendsWhatCouldNotBeMounted) {
  EXPECT_EQ(send("team/absent").how, Sent::uploaded);
  EXPECT_EQ(stored(), content_);
  EXPECT_EQ(count("POST"), 1u) << "the refused mount is an upload already";
}

TEST_F(RegistryUpload, KeepsToTheLeastChunkOfTheRegistry) {
  registry_.minimum_chunk = "300000";
  send();
  EXPECT_EQ(count("PATCH"), 4u);
  EXPECT_EQ(stored(), content_);
}

TEST_F(RegistryUpload, GoesOnFromWhereACutLeftIt) {
  proxy_.cut_after(TcpProxy::Direction::up, 550'000);
  const SentBlob sent = send();
  EXPECT_EQ(stored(), content_);
  EXPECT_GE(sent.bytes, kSize);
  EXPECT_LT(proxy_.passed(TcpProxy::Direction::up), kSize + kChunk);
}

TEST_F(RegistryUpload, GoesOnFromTheRangeThatTheRegistryReports) {
  registry_.accept_at_most = 70'000;
  const SentBlob sent = send();
  EXPECT_EQ(stored(), content_);
  EXPECT_GT(sent.bytes, kSize);
}

TEST_F(RegistryUpload, GoesOnInALaterRun) {
  fail_at_ = 650'000;
  EXPECT_THAT(outcome(), HasSubstr("CANCELLED"));
  fail_at_ = 0;
  proxy_.reset();
  send();
  EXPECT_EQ(stored(), content_);
  EXPECT_LT(proxy_.passed(TcpProxy::Direction::up), kSize - 600'000 + 5000);
}

TEST_F(RegistryUpload, BeginsAnewWhereTheRegistryForgot) {
  fail_at_ = 650'000;
  EXPECT_THAT(outcome(), HasSubstr("CANCELLED"));
  fail_at_ = 0;
  registry_.uploads.clear();
  EXPECT_EQ(send().bytes, kSize);
  EXPECT_EQ(stored(), content_);
}

TEST_F(RegistryUpload, LeavesARegistryThatForgetsForEver) {
  registry_.forgetful = true;
  EXPECT_THAT(outcome(), HasSubstr("SOURCE_UNREACHABLE: registry"));
}

TEST_F(RegistryUpload, SaysWhenTheRegistryFindsAnotherDigest) {
  std::string damaged = content_;
  damaged[kSize / 2] ^= 1;
  std::ofstream(file_, std::ios::binary) << damaged;
  EXPECT_THAT(outcome(), HasSubstr("INTEGRITY_MISMATCH"));
  EXPECT_TRUE(registry_.blobs.empty());
}

}  // namespace
}  // namespace roundhouse::host
