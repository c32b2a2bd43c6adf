#pragma once
// A segment: a run of operations of one writer under one frontier, sealed as one git commit whose
// tree holds one immutable blob named "segment". A volume is a chain of such commits on one ref,
// refs/heads/log/<writer>/<volume number, 8 digits>; each volume begins with a root commit and its
// header names the tip of the volume before, so that a volume can be fetched and kept alone.
//
// Rejected: a tree that keeps every earlier blob (quadratic within a volume, and nothing reads it:
// the chain is the order); a volume that goes on from its predecessor's commit (a fetch of one
// volume would need the other).
//
// The blob is: one line of canonical JSON (the header: plain, authenticated once segments are
// encrypted), "\n", then the sealed payload as the codec makes it. The payload in plain text is
// one line of canonical JSON ({"frontier": {...}, "next_heard": ms}), then a line an operation; as
// lines or as columns (segment_columns.h). Codec "zstd" compresses that; trust's encrypts it too.

#include "base/result.h"
#include "domain/frontier.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::store {

using CommitId = std::string;  // 40 lower-case hex digits
bool is_commit_id(std::string_view text);

// Bytes. The blob's bound leaves the trust codec room for padding beside the payload's 1 MiB.
struct Limits {
    static constexpr std::size_t header_line = 1024;
    static constexpr std::size_t header_of_payload = 1024 * 1024;  // the frontier's line
    static constexpr std::size_t segment_blob =
        domain::Limits::segment_packed + header_line + 16 * 1024;
};

// Everything that decides a segment's place. Members of the header line have these names.
struct SegmentHeader {
    int format = 1;
    std::string codec = "zstd";
    std::string space;  // the space's id
    domain::Writer writer;
    std::uint32_t volume = 1;
    std::uint64_t first = 1;  // an empty segment (receipt) has last == first - 1
    std::uint64_t last = 0;
    CommitId previous;        // the writer's segment before; empty for its very first
    std::uint32_t epoch = 0;  // of the space's key; 0 = not encrypted
    Millis time = 0;          // commit time, whole seconds
    // Of an invited site or of new keys, in a writer's first segment: domain::write_introduction().
    std::string introduction;
};

struct Segment {
    SegmentHeader header;
    domain::Frontier frontier;
    std::optional<Millis> next_heard;  // when the site will be heard again, by its schedule
    std::vector<std::string> lines;    // operations, byte for byte
};

// The seam for encryption. Deterministic: the same segment gives the same bytes, so that a seal
// that a crash cut off can be made again. Safe from any thread.
class SegmentCodec {
public:
    virtual ~SegmentCodec() = default;
    virtual std::string name() const = 0;
    virtual std::uint32_t current_epoch() const = 0;
    virtual Result<std::string> seal(const SegmentHeader& header, std::string_view plain) const = 0;
    // Never allocates more than domain::Limits::segment_plain. Code::NewerFormat for an unknown
    // codec.
    virtual Result<std::string> open(const SegmentHeader& header,
                                     std::string_view sealed) const = 0;
};

class ZstdCodec final : public SegmentCodec {
public:
    std::string name() const override { return "zstd"; }
    std::uint32_t current_epoch() const override { return 0; }
    Result<std::string> seal(const SegmentHeader& header, std::string_view plain) const override;
    Result<std::string> open(const SegmentHeader& header, std::string_view sealed) const override;
};

// Format, spelling of each member and their fit to each other; the place is the log's to check.
// Code::NewerFormat for another format number.
Result<void> check_header(const SegmentHeader& header);
Result<std::string> encode_segment(const Segment& segment, const SegmentCodec& codec);
Result<SegmentHeader> decode_header(std::string_view blob);
// Checks format, limits and that the number of lines is last - first + 1.
Result<Segment> decode_segment(std::string_view blob, const SegmentCodec& codec);

// The seam for signatures and membership: who may write a log.
class CommitSigner {
public:
    virtual ~CommitSigner() = default;
    // The detached signature ("gpgsig" header) of the exact commit bytes; empty = unsigned.
    virtual Result<std::string> sign(std::string_view commit_bytes) const = 0;
};
// What a site's own segments bear. It depends on the writer alone, so that a segment that was lost
// can be made again after the site has replaced its keys.
class SegmentAuthor {
public:
    virtual ~SegmentAuthor() = default;
    // Code::Forbidden: the key is not here.
    virtual Result<std::string> sign(const domain::Writer& writer,
                                     std::string_view commit_bytes) const = 0;
    // For the writer's first segment: SegmentHeader::introduction.
    virtual std::string introduction(const domain::Writer& writer) const = 0;
};
class SegmentJudge {
public:
    virtual ~SegmentJudge() = default;
    // An error refuses the commit and everything after it on its log.
    virtual Result<void> judge(const SegmentHeader& header, std::string_view commit_bytes,
                               std::string_view signature, const CommitId& id) const = 0;
};

struct VolumeName {
    domain::Writer writer;
    std::uint32_t number = 1;
    auto operator<=>(const VolumeName&) const = default;
    std::string ref() const;                                       // refs/heads/log/...
    static std::optional<VolumeName> parse(std::string_view ref);  // only the canonical spelling
};

}  // namespace dutybook::store
