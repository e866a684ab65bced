"""A real SMTP server (aiosmtpd) for one test: prints its port, then each mail it takes, as a line of JSON."""

import argparse
import asyncio
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, refuse):
        self.refuse = refuse

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            return "550 5.1.1 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode(),
            "encrypted": session.ssl is not None or server.transport.get_extra_info("cipher") is not None,
            "login": session.auth_data.login.decode() if session.auth_data else None,
        }
        print(json.dumps(mail), flush=True)
        return "250 OK"


async def say_and_leave(reader, writer):
    writer.write(b"421 4.3.2 too busy\r\n")
    await writer.drain()
    writer.close()


async def say_nothing(reader, writer):
    await reader.read()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", choices=["starttls", "implicit", "none"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--login")
    parser.add_argument("--refuse", action="store_true")
    parser.add_argument("--behave", choices=["well", "busy", "silent"], default="well")
    said = parser.parse_args()
    context = None
    if said.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(said.certificate, said.key)

    def authenticator(server, session, envelope, mechanism, data):
        given = f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(success=given == said.login, handled=False, auth_data=data)

    def session():
        return SMTP(
            Handler(said.refuse),
            hostname="mail.test",
            tls_context=context if said.tls == "starttls" else None,
            require_starttls=said.tls == "starttls",
            authenticator=authenticator,
            auth_required=said.login is not None,
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    if said.behave == "busy":
        listening = await asyncio.start_server(say_and_leave, "127.0.0.1", 0)
    elif said.behave == "silent":
        listening = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    else:
        listening = await loop.create_server(session, "127.0.0.1", 0, ssl=context if said.tls == "implicit" else None)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


asyncio.run(main())
