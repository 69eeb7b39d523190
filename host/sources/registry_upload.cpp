// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_upload.h"

#include <algorithm>

#include "host/sources/backoff.h"
#include "host/sources/registry_answer.h"

namespace roundhouse::host {
namespace {

class BlobUpload {
 public:
  BlobUpload(RegistryClient& client, const BlobToSend& blob, UploadMemory& memory,
             const UploadOptions& options)
      : client_(client), blob_(blob), memory_(memory), options_(options), backoff_(options.cancelled) {}

  SentBlob run() {
    for (;;) {
      try {
        if (advance()) break;
      } catch (const Error& error) {
        backoff_.wait_after(error);
        lost_ = true;
      }
    }
    memory_.forget();
    result_.bytes += in_flight_;
    return result_;
  }

 private:
  // One try, from wherever the last one ended. True when the registry has the blob.
  bool advance() {
    account();
    if (!session_ || lost_) find_session();
    lost_ = false;
    if (!session_) return true;
    return session_->offset == 0 && blob_.size <= options_.chunk_bytes ? send_whole() : send_chunks();
  }

  // The session that goes on, or a new one; none when there is nothing to send.
  void find_session() {
    if (client_.has_blob(blob_.digest)) {
      result_.how = session_ ? Sent::uploaded : Sent::there;
      session_.reset();
      return;
    }
    const std::optional<Url> remembered = session_ ? session_->location : memory_.location();
    session_.reset();
    // Small blobs begin anew: asking costs as much.
    if (remembered && blob_.size > options_.chunk_bytes)
      session_ = client_.upload_state({*remembered, 0, minimum_chunk_});
    if (session_ && session_->offset > blob_.size) session_.reset();
    if (!session_) begin();
  }

  void begin() {
    session_ = client_.begin_upload(blob_.digest, blob_.mount_from);
    if (!session_) {
      result_.how = Sent::mounted;
      return;
    }
    result_.how = Sent::uploaded;
    minimum_chunk_ = session_->minimum_chunk;
    if (blob_.size > options_.chunk_bytes) memory_.keep(session_->location);
  }

  bool send_whole() { return finish(FileRange{blob_.file, 0, blob_.size}); }

  bool send_chunks() {
    result_.how = Sent::uploaded;
    while (session_->offset < blob_.size) {
      const std::uint64_t begin = session_->offset;
      const std::uint64_t size = std::min(std::max(options_.chunk_bytes, minimum_chunk_), blob_.size - begin);
      const HttpResponse response = client_.send_chunk(*session_, {blob_.file, begin, size}, sending(begin));
      account();
      if (response.status != 202) return lose(response);
      if (session_->offset > begin + size) throw client_.upload_error(blob_.digest, response);
      if (session_->offset > best_) backoff_.progressed();
      best_ = std::max(best_, session_->offset);
      if (session_->offset == begin) return lose(response);
      memory_.keep(session_->location);
    }
    return finish(std::nullopt);
  }

  bool finish(const std::optional<FileRange>& whole) {
    const HttpResponse response = client_.finish_upload(*session_, blob_.digest, whole, sending(0));
    account();
    if (response.status == 201) return true;
    if (registry_said(response, "DIGEST_INVALID"))
      throw Error(RH_INTEGRITY_MISMATCH,
                  client_.upload_error(blob_.digest, response).what() +
                      std::string(", so it is damaged here or on the way"),
                  "see 'roundhouse verify', then push again");
    return lose(response);
  }

  // The registry has lost the session or asks for another place in it: tried again as often as what passes.
  bool lose(const HttpResponse& response) {
    const Error error = client_.upload_error(blob_.digest, response);
    const bool astray = response.status == 404 || response.status == 416 || response.status == 202;
    if (!astray) throw error;
    throw Error(RH_SOURCE_UNREACHABLE, error.what());
  }

  BytesSent sending(std::uint64_t begin) {
    return [this, begin](std::uint64_t bytes) {
      in_flight_ = bytes;
      if (options_.progress) options_.progress(begin + bytes);
    };
  }

  void account() {
    result_.bytes += in_flight_;
    in_flight_ = 0;
  }

  RegistryClient& client_;
  const BlobToSend& blob_;
  UploadMemory& memory_;
  const UploadOptions& options_;
  Backoff backoff_;
  std::optional<UploadSession> session_;
  bool lost_ = false;  // the last try failed: what the registry has must be asked
  std::uint64_t minimum_chunk_ = 0, in_flight_ = 0;
  std::uint64_t best_ = 0;  // the farthest offset: a registry that forgets for ever is left in the end
  SentBlob result_;
};

}  // namespace

SentBlob send_blob(RegistryClient& client, const BlobToSend& blob, UploadMemory& memory,
                   const UploadOptions& options) {
  return BlobUpload(client, blob, memory, options).run();
}

}  // namespace roundhouse::host
