// A segment's blob, as a remote hands it over: header line, then the payload as the codec seals
// it. Each input is also opened as if its payload were already plain, or the checksum of the
// compression would keep nearly all mutations from what lies behind it.

#include "fuzz/target.h"
#include "store/segment.h"

using namespace dutybook;

namespace {

class PlainPayload final : public store::SegmentCodec {
public:
    std::string name() const override { return "zstd"; }
    std::uint32_t current_epoch() const override { return 0; }
    Result<std::string> seal(const store::SegmentHeader&, std::string_view plain) const override {
        return std::string(plain);
    }
    Result<std::string> open(const store::SegmentHeader&, std::string_view sealed) const override {
        return std::string(sealed);
    }
};

void check(std::string_view bytes, const store::SegmentCodec& codec) {
    const auto segment = store::decode_segment(bytes, codec);
    if (!segment) return;
    fuzz::must(segment->lines.size() == segment->header.last + 1 - segment->header.first,
               "a segment holds as many lines as its header says");
    const auto again = store::encode_segment(*segment, codec);
    fuzz::must(again.has_value(), "a segment that was read can be written");
    const auto same = store::decode_segment(*again, codec);
    fuzz::must(same && same->lines == segment->lines && same->frontier == segment->frontier,
               "a segment that was written reads the same");
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(segment) {
    (void)store::decode_header(bytes);
    check(bytes, store::ZstdCodec{});
    check(bytes, PlainPayload{});
    (void)store::VolumeName::parse(bytes.substr(0, bytes.find('\n')));
}
