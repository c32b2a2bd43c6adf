#include "store/segment.h"

#include "base/json.h"
#include "support/log_contract.h"

#include <zstd.h>

using namespace dutybook;
using namespace dutybook::test;
using store::Segment;
using store::VolumeName;

namespace {

const store::ZstdCodec codec;

Segment some_segment(std::size_t count = 3) {
    const auto row = row_of(writer_a, 1, 1, count, {});
    Segment segment{row.header, {}, {}, some_lines(count)};
    segment.frontier.advance(writer_b, 4, std::string(40, '1'));
    return segment;
}

std::string blob() {
    return value(encode_segment(some_segment(), codec));
}

// The blob with another header line and the same payload.
std::string with_member(const char* name, const Json& member) {
    const auto bytes = blob();
    const auto end = bytes.find('\n');
    auto header = value(parse_json(bytes.substr(0, end)));
    if (member.is_discarded())
        header.erase(name);
    else
        header[name] = member;
    return canonical(header) + bytes.substr(end);
}

std::string with_payload(const std::string& payload) {
    const auto bytes = blob();
    return bytes.substr(0, bytes.find('\n') + 1) + payload;
}

std::string packed(const std::string& plain, bool with_size = true) {
    std::string out(ZSTD_compressBound(plain.size()), '\0');
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
    out.resize(ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size()));
    ZSTD_freeCCtx(context);
    return out;
}

Code refusal(const std::string& bytes) {
    const auto result = decode_segment(bytes, codec);
    REQUIRE_FALSE(result);
    return result.error().code;
}

}  // namespace

TEST_CASE("Segment: encoding is deterministic and decodes to what was encoded") {
    auto segment = some_segment();
    segment.next_heard = 1'770'000'000'000;
    const auto bytes = value(encode_segment(segment, codec));
    CHECK(bytes == value(encode_segment(segment, codec)));
    const auto back = value(decode_segment(bytes, codec));
    CHECK(back.lines == segment.lines);
    CHECK(back.frontier == segment.frontier);
    CHECK(back.next_heard == segment.next_heard);
    CHECK(back.header.writer == writer_a);
}

TEST_CASE("Segment: operations are kept byte for byte, whatever they hold") {
    auto segment = some_segment(3);
    segment.lines = {"", std::string("\0 not json \xff", 12), "{\"a\": 1.0 }"};
    const auto back = value(decode_segment(value(encode_segment(segment, codec)), codec));
    CHECK(back.lines == segment.lines);
}

TEST_CASE("Segment: a header with one wrong member is refused") {
    CHECK(refusal(with_member("first", 0)) == Code::Malformed);
    CHECK(refusal(with_member("first", 5)) == Code::Malformed);
    CHECK(refusal(with_member("last", 4)) == Code::Malformed);  // one more than there is
    CHECK(refusal(with_member("last", 9007199254740992.0)) == Code::Malformed);
    CHECK(refusal(with_member("time", 1500)) == Code::Malformed);
    CHECK(refusal(with_member("time", -1000)) == Code::Malformed);
    CHECK(refusal(with_member("volume", 0)) == Code::Malformed);
    CHECK(refusal(with_member("volume", 2)) == Code::Malformed);  // and no predecessor
    CHECK(refusal(with_member("volume", 100'000'000)) == Code::Malformed);
    CHECK(refusal(with_member("previous", std::string(39, 'a'))) == Code::Malformed);
    CHECK(refusal(with_member("previous", std::string(40, 'A'))) == Code::Malformed);
    CHECK(refusal(with_member("writer", "../../etc")) == Code::Malformed);
    CHECK(refusal(with_member("space", "")) == Code::Malformed);
    CHECK(refusal(with_member("codec", "ZSTD")) == Code::Malformed);
    CHECK(refusal(with_member("epoch", 1ULL << 33)) == Code::Malformed);
    CHECK(refusal(with_member("extra", 1)) == Code::Malformed);
    CHECK(refusal(with_member("epoch", Json(Json::value_t::discarded))) == Code::Malformed);
}

TEST_CASE("Segment: a header that is not spelled canonically is refused") {
    auto bytes = blob();
    bytes.insert(1, " ");
    CHECK(refusal(bytes) == Code::Malformed);
}

TEST_CASE("Segment: a newer format and an unknown codec are newer, not wrong") {
    CHECK(refusal(with_member("format", 2)) == Code::NewerFormat);
    CHECK(refusal(with_member("codec", "zstd-2")) == Code::NewerFormat);
    auto newer = with_member("format", 2);
    newer.insert(1, "\"aaa\":1,");
    CHECK(refusal(newer) == Code::NewerFormat);
}

TEST_CASE("Segment: cut off at any byte it is refused") {
    const auto bytes = blob();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decode_segment(bytes.substr(0, size), codec));
}

TEST_CASE("Segment: one changed byte anywhere in the payload is refused") {
    const auto bytes = blob();
    for (std::size_t at = bytes.find('\n') + 1; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 0x10);
        const auto result = decode_segment(changed, codec);
        // A flag of the frame may change without changing what it says.
        if (result) CHECK(result->lines == some_lines(3));
    }
}

TEST_CASE("Segment: what would inflate beyond 8 MiB is refused unread") {
    const std::string bomb(64 * 1024 * 1024, '\n');
    CHECK(refusal(with_payload(packed(bomb))) == Code::TooLarge);
    CHECK(refusal(with_payload(packed(bomb, false))) == Code::Malformed);
    CHECK(refusal(with_payload(blob().substr(blob().find('\n') + 1) + packed(bomb))) ==
          Code::Malformed);
    CHECK(refusal(with_payload(std::string(2 * 1024 * 1024, 'x'))) == Code::TooLarge);
    CHECK(refusal(with_payload("")) == Code::Malformed);
}

TEST_CASE("Segment: a payload of another shape is refused") {
    CHECK(refusal(with_payload(packed("{\"frontier\":{}}\na\nb\n"))) == Code::Malformed);
    CHECK(refusal(with_payload(packed("{\"frontier\":{}}\na\nb\nc"))) == Code::Malformed);
    CHECK(refusal(with_payload(packed("{}\na\nb\nc\n"))) == Code::Malformed);
    CHECK(refusal(with_payload(packed("{\"frontier\":{\"x\":1}}\na\nb\nc\n"))) == Code::Malformed);
    CHECK(decode_segment(with_payload(packed("{\"frontier\":{}}\na\nb\nc\n")), codec));
}

TEST_CASE("Segment: too much for one segment is refused at sealing") {
    auto row = row_of(writer_a, 1, 1, 200, {});
    Segment segment{row.header, {}, {}, {}};
    for (int i = 0; i < 200; ++i) segment.lines.emplace_back(64 * 1024, 'x');
    CHECK(encode_segment(segment, codec).error().code == Code::TooLarge);
}

TEST_CASE("VolumeName: one spelling only") {
    const VolumeName name{writer_a, 7};
    CHECK(name.ref() == "refs/heads/log/" + writer_a + "/00000007");
    CHECK(VolumeName::parse(name.ref()) == name);
    for (const auto& wrong : {"/7", "/0000007", "/000000007", "/00000000", "/+0000007", "/0000000a",
                              "/ 0000007", "", "/", "/00000007/", "/00000007\n", "//00000007"})
        CHECK_FALSE(VolumeName::parse("refs/heads/log/" + writer_a + wrong));
    for (const auto& wrong :
         {"refs/heads/log/x/00000001", "refs/heads/log/../00000001", "refs/heads/log/A-b/00000001",
          "refs/heads/log//00000001", "refs/log/a-b/00000001"})
        CHECK_FALSE(VolumeName::parse(wrong));
}
