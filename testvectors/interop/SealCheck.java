// SealCheck judges the seals of an OFD package with the JDK's ZIP and XML readers and Bouncy Castle alone: the digests of
// all references, the digest of the description, the signer's and the maker's SM2 signatures, both certificates against
// the root. It prints "ok" and the number of seals, or "bad" and why.
//
//     java -cp bcprov.jar:bcpkix.jar:bcutil.jar SealCheck.java root.der file.ofd

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

public class SealCheck {
    static final String NS = "http://www.ofdspec.org/2016";

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        X509Certificate root = certificate(Files.readAllBytes(Path.of(args[0])));
        try {
            System.out.println("ok " + check(root, entries(args[1])));
        } catch (Exception e) {
            System.out.println("bad " + e.getMessage());
        }
    }

    static Map<String, byte[]> entries(String file) throws Exception {
        Map<String, byte[]> out = new HashMap<>();
        try (ZipFile zip = new ZipFile(file)) {
            for (ZipEntry e : java.util.Collections.list(zip.entries())) {
                try (InputStream in = zip.getInputStream(e)) {
                    out.put("/" + e.getName(), in.readAllBytes());
                }
            }
        }
        return out;
    }

    static int check(X509Certificate root, Map<String, byte[]> files) throws Exception {
        String list = text(parse(files.get("/OFD.xml")), "Signatures");
        NodeList listed = parse(files.get(list)).getElementsByTagNameNS(NS, "Signature");
        int seals = 0;
        for (int i = 0; i < listed.getLength(); i++) {
            Element e = (Element) listed.item(i);
            byte[] description = files.get(e.getAttribute("BaseLoc"));
            Document d = parse(description);
            NodeList references = d.getElementsByTagNameNS(NS, "Reference");
            for (int k = 0; k < references.getLength(); k++) {
                Element r = (Element) references.item(k);
                byte[] want = Base64.getDecoder().decode(r.getTextContent());
                require(Arrays.equals(want, sm3(files.get(r.getAttribute("FileRef")))), "digest of " + r.getAttribute("FileRef"));
            }
            if (!e.getAttribute("Type").equals("Seal")) {
                continue;
            }
            seal(root, files.get(text(d, "SignedValue")), description, files.get(text(d, "BaseLoc")));
            seals++;
        }
        return seals;
    }

    // GB/T 38540-2020: SES_Signature{toSign{version, seal{info, cert, alg, value}, time, dataHash, propertyInfo}, cert, alg, value}.
    static void seal(X509Certificate root, byte[] value, byte[] description, byte[] file) throws Exception {
        ASN1Sequence signature = ASN1Sequence.getInstance(value);
        ASN1Sequence toSign = ASN1Sequence.getInstance(signature.getObjectAt(0));
        ASN1Sequence seal = ASN1Sequence.getInstance(toSign.getObjectAt(1));
        require(Arrays.equals(seal.getEncoded(), file), "seal file");
        require(Arrays.equals(ASN1BitString.getInstance(toSign.getObjectAt(3)).getOctets(), sm3(description)), "data hash");
        signed(root, signature.getObjectAt(1), toSign.getEncoded(), signature.getObjectAt(3), "signer");
        signed(root, seal.getObjectAt(1), ASN1Sequence.getInstance(seal.getObjectAt(0)).getEncoded(), seal.getObjectAt(3), "maker");
    }

    static void signed(X509Certificate root, Object cert, byte[] message, Object value, String who) throws Exception {
        X509Certificate c = certificate(ASN1OctetString.getInstance(cert).getOctets());
        c.verify(root.getPublicKey(), "BC");
        Signature s = Signature.getInstance("SM3withSM2", "BC");
        s.initVerify(c.getPublicKey());
        s.update(message);
        require(s.verify(ASN1BitString.getInstance(value).getOctets()), "signature of the " + who);
    }

    static void require(boolean good, String what) throws Exception {
        if (!good) {
            throw new Exception(what);
        }
    }

    static byte[] sm3(byte[] b) throws Exception {
        return MessageDigest.getInstance("SM3", "BC").digest(b);
    }

    static X509Certificate certificate(byte[] der) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(new ByteArrayInputStream(der));
    }

    static Document parse(byte[] xml) throws Exception {
        DocumentBuilderFactory f = DocumentBuilderFactory.newInstance();
        f.setNamespaceAware(true);
        return f.newDocumentBuilder().parse(new ByteArrayInputStream(xml));
    }

    static String text(Document d, String name) {
        return d.getElementsByTagNameNS(NS, name).item(0).getTextContent();
    }
}
