// The plain codec: one zstd frame with its content size and checksum. Deterministic for one
// version of the library; a re-seal that gives other bytes than were sealed is found by its commit
// id, and what was sealed is then fetched from a remote.

#include "store/segment.h"

#include <zstd.h>

#include <memory>

namespace dutybook::store {
namespace {

// A night's segment is small and stays for ever; a long one must not hold up the space.
constexpr int level = 9, level_of_small = 19;
constexpr std::size_t small = 64 * 1024;
constexpr int window_log = 23;  // 8 MiB: the largest plain segment; bounds the reader's memory

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error zstd_failure(Code code, std::string what, std::size_t status) {
    return failure(code, std::move(what), ZSTD_getErrorName(status));
}

Result<void> known(const SegmentHeader& header) {
    if (header.codec != "zstd")
        return failure(Code::NewerFormat, "a segment is sealed with codec " + header.codec,
                       "this store opens plain segments", "update Dutybook, or join the space");
    return {};
}

}  // namespace

Result<std::string> ZstdCodec::seal(const SegmentHeader& header, std::string_view plain) const {
    TRY(known(header));
    if (plain.size() > domain::Limits::segment_plain)
        return failure(Code::TooLarge, "a segment is larger than 8 MiB in plain");
    const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    if (!context) return failure(Code::Internal, "no memory to compress a segment");
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel,
                           plain.size() <= small ? level_of_small : level);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 1);
    std::string out(ZSTD_compressBound(plain.size()), '\0');
    const auto size =
        ZSTD_compress2(context.get(), out.data(), out.size(), plain.data(), plain.size());
    if (ZSTD_isError(size))
        return zstd_failure(Code::Internal, "a segment could not be compressed", size);
    if (size > domain::Limits::segment_packed)
        return failure(Code::TooLarge, "a segment is larger than 1 MiB");
    out.resize(size);
    return out;
}

Result<std::string> ZstdCodec::open(const SegmentHeader& header, std::string_view sealed) const {
    TRY(known(header));
    if (sealed.size() > domain::Limits::segment_packed)
        return failure(Code::TooLarge, "a segment is larger than 1 MiB");
    const auto plain_size = ZSTD_getFrameContentSize(sealed.data(), sealed.size());
    if (plain_size == ZSTD_CONTENTSIZE_ERROR || plain_size == ZSTD_CONTENTSIZE_UNKNOWN)
        return malformed("a segment's payload is no zstd frame with its size");
    if (plain_size > domain::Limits::segment_plain)
        return failure(Code::TooLarge, "a segment is larger than 8 MiB in plain");
    const auto frame = ZSTD_findFrameCompressedSize(sealed.data(), sealed.size());
    if (ZSTD_isError(frame)) return zstd_failure(Code::Malformed, "a segment is cut off", frame);
    if (frame != sealed.size()) return malformed("something follows a segment's payload");
    const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    if (!context) return failure(Code::Internal, "no memory to open a segment");
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, window_log);
    std::string plain(plain_size, '\0');
    const auto size = ZSTD_decompressDCtx(context.get(), plain.data(), plain.size(), sealed.data(),
                                          sealed.size());
    if (ZSTD_isError(size))
        return zstd_failure(Code::Malformed, "a segment's payload is damaged", size);
    if (size != plain_size) return malformed("a segment's payload is shorter than it says");
    return plain;
}

}  // namespace dutybook::store
