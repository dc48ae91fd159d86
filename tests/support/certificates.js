/*
 * Certificates of a test's own.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const openssl = (directory, words) => execFileSync('openssl', words, { cwd: directory, stdio: 'ignore' });

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-sha256'];

/** <name>.pem and <name>.key of an authority; returns the path of its certificate. */
export function makeAuthority(directory, name) {
  openssl(directory, ['req', '-x509', ...KEY, '-days', '30', '-subj', `/CN=${name}`,
    '-addext', 'keyUsage=critical,keyCertSign', '-keyout', `${name}.key`, '-out', `${name}.pem`]);
  const certificate = path.join(directory, `${name}.pem`);
  chmodSync(certificate, 0o644);
  return certificate;
}

/** <name>.pem and <name>.key for a host, signed by an authority that was made there. */
export function makeSigned(directory, authority, name, host) {
  writeFileSync(path.join(directory, `${name}.ext`), `subjectAltName=DNS:${host}\n`);
  openssl(directory, ['req', '-new', ...KEY, '-subj', `/CN=${host}`, '-keyout', `${name}.key`, '-out', `${name}.csr`]);
  openssl(directory, ['x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.pem`, '-CAkey', `${authority}.key`,
    '-CAcreateserial', '-days', '30', '-sha256', '-extfile', `${name}.ext`, '-out', `${name}.pem`]);
  const files = { certificate: path.join(directory, `${name}.pem`), key: path.join(directory, `${name}.key`) };
  chmodSync(files.certificate, 0o644);
  return files;
}
