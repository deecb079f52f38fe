// Interop is the Bouncy Castle side of the agreement tests: one JVM that answers commands, one a line, from stdin.
//
// A line is a command and its arguments, separated by tabs; file names are paths. The answer is one line, "ok" with
// fields behind it, or "no" with the reason. It imports nothing but the JDK and Bouncy Castle.

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Set;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.Req;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.SingleResp;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStamp;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStampGenerator;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSData;
import org.bouncycastle.tsp.ers.ERSDataGroup;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;
import org.bouncycastle.tsp.ers.ERSEvidenceRecordGenerator;
import org.bouncycastle.util.CollectionStore;
import org.bouncycastle.util.Store;
import org.bouncycastle.util.encoders.Hex;

public class Interop {
    private static final String SIGNATURE = "SM3WITHSM2";
    private static final long DAY = 24L * 3600 * 1000;
    private static final ASN1ObjectIdentifier POLICY = new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1.1");

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = "ok " + run(line.split("\t"));
            } catch (Throwable e) {
                answer = "no " + e;
            }
            out.println(answer.replaceAll("\\s+", " ").trim());
        }
    }

    private static String run(String[] a) throws Exception {
        switch (a[0]) {
            case "version":
                return new BouncyCastleProvider().getInfo() + ", Java " + System.getProperty("java.version");
            case "certificate":
                return certificate(a[1], a[2]);
            case "path":
                return path(a);
            case "crl":
                return crl(a[1], a[2], a[3]);
            case "signed":
                return signed(a[1], a.length > 2 ? a[2] : null);
            case "timestamp":
                return timestamp(a[1], a[2], a[3], a[4]);
            case "evidence-record":
                return evidenceRecord(a);
            case "make-evidence-record":
                return makeEvidenceRecord(a[1], a[2], a[3]);
            case "timestamp-request":
                return timestampRequest(a[1], a[2]);
            case "ocsp":
                return ocsp(a[1], a[2], a[3], a[4], a[5]);
            case "make":
                return make(Path.of(a[1]));
            case "make-timestamp":
                return makeTimestamp(a[1], a[2]);
            case "make-ocsp":
                return makeOcsp(a[1], a[2], a[3]);
            default:
                throw new IllegalArgumentException("unknown command " + a[0]);
        }
    }

    // Reading what the other side made.

    private static byte[] read(String file) throws Exception {
        return Files.readAllBytes(Path.of(file));
    }

    private static X509Certificate cert(String file) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC")
                .generateCertificate(new ByteArrayInputStream(read(file)));
    }

    private static String certificate(String issuer, String file) throws Exception {
        X509Certificate c = cert(file);
        c.verify(cert(issuer).getPublicKey(), "BC");
        boolean[] usage = c.getKeyUsage();
        StringBuilder bits = new StringBuilder();
        for (int i = 0; usage != null && i < usage.length; i++) {
            bits.append(usage[i] ? '1' : '0');
        }
        return c.getSigAlgOID() + " " + bits + " " + c.getBasicConstraints();
    }

    // path: root, leaf, then intermediates and lists (.crl); revocation is asked for if a list is there.
    private static String path(String[] a) throws Exception {
        List<Object> all = new ArrayList<>();
        boolean lists = false;
        X509Certificate leaf = cert(a[2]);
        all.add(leaf);
        for (int i = 3; i < a.length; i++) {
            if (a[i].endsWith(".crl")) {
                lists = true;
                all.add(CertificateFactory.getInstance("X.509", "BC").generateCRL(new ByteArrayInputStream(read(a[i]))));
            } else {
                all.add(cert(a[i]));
            }
        }
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(leaf);
        PKIXBuilderParameters p = new PKIXBuilderParameters(Set.of(new TrustAnchor(cert(a[1]), null)), target);
        p.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(all), "BC"));
        p.setRevocationEnabled(lists);
        CertPathBuilder.getInstance("PKIX", "BC").build(p);
        return "path";
    }

    private static String crl(String issuer, String file, String serial) throws Exception {
        X509CRL list = (X509CRL) CertificateFactory.getInstance("X.509", "BC")
                .generateCRL(new ByteArrayInputStream(read(file)));
        list.verify(cert(issuer).getPublicKey(), "BC");
        return list.getRevokedCertificate(new BigInteger(serial, 16)) == null ? "good" : "revoked";
    }

    private static String signed(String file, String content) throws Exception {
        CMSSignedData s = content == null ? new CMSSignedData(read(file))
                : new CMSSignedData(new CMSProcessableByteArray(read(content)), read(file));
        Store<X509CertificateHolder> bag = s.getCertificates();
        int n = 0;
        for (SignerInformation si : s.getSignerInfos().getSigners()) {
            Collection<X509CertificateHolder> found = bag.getMatches(si.getSID());
            if (found.size() != 1) {
                throw new IllegalStateException(found.size() + " certificates for a signer");
            }
            if (!si.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(found.iterator().next()))) {
                throw new IllegalStateException("signature does not verify");
            }
            n++;
        }
        return n + " signers";
    }

    // timestamp: request, response, the authority's certificate, the data.
    private static String timestamp(String request, String response, String authority, String data) throws Exception {
        TimeStampRequest req = new TimeStampRequest(read(request));
        TimeStampResponse resp = new TimeStampResponse(read(response));
        resp.validate(req);
        if (resp.getTimeStampToken() == null) {
            return "status " + resp.getStatus();
        }
        resp.getTimeStampToken().validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(cert(authority)));
        byte[] imprint = resp.getTimeStampToken().getTimeStampInfo().getMessageImprintDigest();
        if (!Arrays.equals(imprint, sm3(read(data)))) {
            throw new IllegalStateException("imprint is of other data");
        }
        return "status " + resp.getStatus() + " " + resp.getTimeStampToken().getTimeStampInfo().getGenTime().getTime() / 1000;
    }

    private static ERSData group(String[] a, int from) throws Exception {
        List<ERSData> all = new ArrayList<>();
        for (int i = from; i < a.length; i++) {
            all.add(new ERSByteData(read(a[i])));
        }
        return all.size() == 1 ? all.get(0) : new ERSDataGroup(all);
    }

    // evidence-record RECORD AUTHORITY OBJECT...: reading it checks the renewals, then the objects and the last token.
    private static String evidenceRecord(String[] a) throws Exception {
        ERSEvidenceRecord r = new ERSEvidenceRecord(read(a[1]), digests());
        r.validatePresent(group(a, 3), new Date(Long.MAX_VALUE / 2));
        r.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(cert(a[2])));
        return "covered";
    }

    // make-evidence-record OBJECT RESPONSE OUT: a record of one object with a token that was asked for over its digest.
    private static String makeEvidenceRecord(String object, String response, String out) throws Exception {
        DigestCalculator sm3 = digests().get(new AlgorithmIdentifier(GMObjectIdentifiers.sm3, DERNull.INSTANCE));
        ERSArchiveTimeStampGenerator g = new ERSArchiveTimeStampGenerator(sm3);
        g.addData(new ERSByteData(read(object)));
        ERSArchiveTimeStamp first = g.generateArchiveTimeStamp(new TimeStampResponse(read(response)));
        Files.write(Path.of(out), new ERSEvidenceRecordGenerator(digests()).generate(first).getEncoded());
        return "record";
    }

    private static byte[] sm3(byte[] data) throws Exception {
        return java.security.MessageDigest.getInstance("SM3", "BC").digest(data);
    }

    private static String timestampRequest(String data, String out) throws Exception {
        TimeStampRequestGenerator g = new TimeStampRequestGenerator();
        g.setCertReq(true);
        TimeStampRequest r = g.generate(GMObjectIdentifiers.sm3, sm3(read(data)), new BigInteger(64, new SecureRandom()));
        Files.write(Path.of(out), r.getEncoded());
        return "request";
    }

    // ocsp: request, response, issuer, responder, certificate asked about.
    private static String ocsp(String request, String response, String issuer, String responder, String about) throws Exception {
        OCSPResp resp = new OCSPResp(read(response));
        if (resp.getStatus() != OCSPResp.SUCCESSFUL) {
            return "status " + resp.getStatus();
        }
        BasicOCSPResp basic = (BasicOCSPResp) resp.getResponseObject();
        if (!basic.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(cert(responder)))) {
            throw new IllegalStateException("signature of the answer does not verify");
        }
        OCSPReq req = new OCSPReq(read(request));
        Extension asked = req.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        Extension answered = basic.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        if (asked != null && !asked.equals(answered)) {
            throw new IllegalStateException("nonce differs");
        }
        SingleResp single = basic.getResponses()[0];
        if (!single.getCertID().equals(req.getRequestList()[0].getCertID())) {
            throw new IllegalStateException("answer about another certificate");
        }
        if (!single.getCertID().matchesIssuer(new JcaX509CertificateHolder(cert(issuer)), digests())
                || !single.getCertID().getSerialNumber().equals(cert(about).getSerialNumber())) {
            throw new IllegalStateException("answer does not name the certificate");
        }
        return single.getCertStatus() == CertificateStatus.GOOD ? "good" : "revoked";
    }

    private static DigestCalculatorProvider digests() throws Exception {
        return new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
    }

    // Making what the other side is to read. The keys live as long as this process.

    private static KeyPair caKey, leafKey, tsaKey, responderKey;
    private static X509Certificate ca, leaf, tsa, responder;

    private static KeyPair key() throws Exception {
        KeyPairGenerator g = KeyPairGenerator.getInstance("EC", "BC");
        g.initialize(new ECGenParameterSpec("sm2p256v1"), new SecureRandom());
        return g.generateKeyPair();
    }

    private static ContentSigner signer(PrivateKey k) throws Exception {
        return new JcaContentSignerBuilder(SIGNATURE).setProvider("BC").build(k);
    }

    private static X509Certificate issue(String name, KeyPair subject, X509Certificate issuer, KeyPair by, int usage, boolean isCA,
            KeyPurposeId purpose) throws Exception {
        X500Name subjectName = new X500Name("C=CN,O=Test,CN=" + name);
        X500Name issuerName = issuer == null ? subjectName : new JcaX509CertificateHolder(issuer).getSubject();
        Date now = new Date();
        JcaX509v3CertificateBuilder b = new JcaX509v3CertificateBuilder(issuerName, new BigInteger(120, new SecureRandom()),
                new Date(now.getTime() - DAY), new Date(now.getTime() + 365 * DAY), subjectName, subject.getPublic());
        if (isCA) {
            b.addExtension(Extension.basicConstraints, true, new BasicConstraints(1));
        }
        b.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        if (purpose != null) {
            b.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(purpose));
        }
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(
                new ByteArrayInputStream(b.build(signer(by.getPrivate())).getEncoded()));
    }

    private static String make(Path dir) throws Exception {
        caKey = key();
        leafKey = key();
        tsaKey = key();
        responderKey = key();
        ca = issue("BC Root", caKey, null, caKey, KeyUsage.keyCertSign | KeyUsage.cRLSign, true, null);
        leaf = issue("BC Signer", leafKey, ca, caKey, KeyUsage.digitalSignature | KeyUsage.nonRepudiation, false, null);
        tsa = issue("BC TSA", tsaKey, ca, caKey, KeyUsage.digitalSignature, false, KeyPurposeId.id_kp_timeStamping);
        responder = issue("BC OCSP", responderKey, ca, caKey, KeyUsage.digitalSignature, false, KeyPurposeId.id_kp_OCSPSigning);
        X509Certificate revoked = issue("BC Revoked", key(), ca, caKey, KeyUsage.digitalSignature, false, null);
        Files.write(dir.resolve("ca.der"), ca.getEncoded());
        Files.write(dir.resolve("leaf.der"), leaf.getEncoded());
        Files.write(dir.resolve("tsa.der"), tsa.getEncoded());
        Files.write(dir.resolve("revoked.der"), revoked.getEncoded());
        Date now = new Date();
        X509v2CRLBuilder list = new X509v2CRLBuilder(new JcaX509CertificateHolder(ca).getSubject(), new Date(now.getTime() - 1000));
        list.setNextUpdate(new Date(now.getTime() + DAY));
        list.addCRLEntry(revoked.getSerialNumber(), new Date(now.getTime() - 60000), CRLReason.keyCompromise);
        Files.write(dir.resolve("ca.crl"), list.build(signer(caKey.getPrivate())).getEncoded());
        byte[] content = "made by Bouncy Castle".getBytes(StandardCharsets.UTF_8);
        Files.write(dir.resolve("content"), content);
        CMSSignedDataGenerator g = new CMSSignedDataGenerator();
        g.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(digests()).build(signer(leafKey.getPrivate()), leaf));
        g.addCertificate(new JcaX509CertificateHolder(leaf));
        Files.write(dir.resolve("attached.p7s"), g.generate(new CMSProcessableByteArray(content), true).getEncoded("DER"));
        Files.write(dir.resolve("detached.p7s"), g.generate(new CMSProcessableByteArray(content), false).getEncoded("DER"));
        return "made";
    }

    private static String makeTimestamp(String request, String response) throws Exception {
        TimeStampRequest req = new TimeStampRequest(read(request));
        DigestCalculator sm3 = digests().get(new AlgorithmIdentifier(GMObjectIdentifiers.sm3));
        TimeStampTokenGenerator g = new TimeStampTokenGenerator(
                new JcaSignerInfoGeneratorBuilder(digests()).build(signer(tsaKey.getPrivate()), tsa), sm3, POLICY);
        if (req.getCertReq()) {
            g.addCertificates(new CollectionStore<>(List.of(new JcaX509CertificateHolder(tsa))));
        }
        TimeStampResponseGenerator r = new TimeStampResponseGenerator(g, Set.of(GMObjectIdentifiers.sm3.getId()));
        byte[] der = r.generate(req, BigInteger.ONE, new Date()).getEncoded();
        Files.write(Path.of(response), org.bouncycastle.asn1.ASN1Primitive.fromByteArray(der).getEncoded("DER"));
        return "made";
    }

    // makeOcsp answers a request: every certificate is good but the one whose serial number (hex) is given.
    private static String makeOcsp(String request, String response, String revoked) throws Exception {
        OCSPReq req = new OCSPReq(read(request));
        BasicOCSPRespBuilder b = new BasicOCSPRespBuilder(new RespID(new JcaX509CertificateHolder(responder).getSubject()));
        Extension nonce = req.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        if (nonce != null) {
            b.setResponseExtensions(new Extensions(nonce));
        }
        Date now = new Date();
        for (Req one : req.getRequestList()) {
            boolean bad = one.getCertID().getSerialNumber().equals(new BigInteger(revoked, 16));
            b.addResponse(one.getCertID(), bad ? new RevokedStatus(new Date(now.getTime() - 60000), CRLReason.keyCompromise)
                    : CertificateStatus.GOOD, new Date(now.getTime() - 1000), new Date(now.getTime() + DAY));
        }
        BasicOCSPResp basic = b.build(signer(responderKey.getPrivate()),
                new X509CertificateHolder[] {new JcaX509CertificateHolder(responder)}, now);
        Files.write(Path.of(response), new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL, basic).getEncoded());
        return "made";
    }
}
