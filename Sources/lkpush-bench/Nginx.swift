import Glibc
import Platform

/// nginx with one worker that reads the body of a POST, drops it and answers 200. It shows the cost of HTTP alone.
final class Nginx {
    let port: UInt16
    private let folder = ScratchFolder()
    private let child: Child

    static let program = "/usr/sbin/nginx"

    /// Returns nil if nginx is not installed or does not start.
    init?() {
        guard access(Self.program, X_OK) == 0 else { return nil }
        port = Loopback.freePort()
        let path = folder.path
        let configuration = """
            daemon off;
            master_process off;
            worker_processes 1;
            pid \(path)/pid;
            error_log stderr crit;
            events { worker_connections 2048; }
            http {
                access_log off;
                keepalive_timeout 300;
                keepalive_requests 100000000;
                client_body_temp_path \(path)/body;
                proxy_temp_path \(path)/proxy;
                fastcgi_temp_path \(path)/fastcgi;
                uwsgi_temp_path \(path)/uwsgi;
                scgi_temp_path \(path)/scgi;
                server {
                    listen 127.0.0.1:\(port);
                    location = /webhook { return 200; }
                }
            }

            """
        do throws(SystemError) {
            try FileStore.replace("\(path)/nginx.conf", with: Array(configuration.utf8))
        } catch {
            return nil
        }
        // It ends by itself if this program dies before it could end it.
        guard let child = Child(["/usr/bin/timeout", "600", Self.program, "-c", "\(path)/nginx.conf", "-p", path])
        else {
            return nil
        }
        self.child = child
        guard Loopback.waitFor(port) else {
            child.end()
            return nil
        }
    }

    deinit { child.end() }
}
