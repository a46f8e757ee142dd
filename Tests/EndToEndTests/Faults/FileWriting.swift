import Glibc
import Platform

/// Plain changes to files, without the precautions of the product.
enum FileWriting {
    static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        try FileStore.replace(path, with: bytes)
    }

    static func remove(_ path: String) { unlink(path) }
}
